// `node …`: one program, from its command line to its end.
import path from 'path-browserify';
import { Buffer } from './buffer.ts';
import { readStdin, worker } from './host.ts';
import { inspect, showError } from './inspect.ts';
import { asFile, giveSource, runCommon, sourceOf } from './modules.ts';
import { guestProcess } from './process.ts';

type Program = { readonly source: string; readonly file: string; readonly module: boolean };

const EVAL = /^(?:-e|--eval)$/;
const PRINT = /^(?:-p|-pe|--print)$/;
/** Options with a value of their own, apart from it. */
const VALUED = /^(?:-r|--require|--import|--loader|--experimental-loader|--env-file|-C|--conditions)$/;

/** Runs beside the event loop; what it throws ends everything. */
export async function runProgram(given: readonly string[]): Promise<void> {
  try {
    const { args, program } = understood(given);
    guestProcess.argv.push(...args);
    const { source, file, module } = program();
    if (!module) runCommon(source, file, { exports: {} });
    else {
      giveSource(file, source);
      await import(file);
    }
  } catch (error) {
    uncaught(error);
  }
}

export function uncaught(error: unknown): void {
  guestProcess.stderr.write(`Uncaught ${error instanceof Error ? showError(error) : inspect(error)}\n`);
  worker.exit('1');
}

/** Node's command line, as far as it is understood here: what the program sees of it, and the program. */
function understood(given: readonly string[]): { readonly args: readonly string[]; readonly program: () => Program } {
  for (let at = 0; at < given.length; at += 1) {
    const arg = given[at] ?? '';
    const [, name = arg, inline] = /^(--[^=]+)=(.*)$/s.exec(arg) ?? [];
    if (EVAL.test(name) || PRINT.test(name)) {
      const code = inline ?? given[at + 1] ?? '';
      const source = PRINT.test(name) ? `console.log(eval(${JSON.stringify(code)}))` : code;
      return { args: given.slice(inline === undefined ? at + 2 : at + 1), program: () => typed(source, 'eval') };
    }
    if (arg === '-') return { args: given.slice(at), program: piped };
    if (!arg.startsWith('-')) {
      const file = path.resolve(arg);
      return { args: [file, ...given.slice(at + 1)], program: () => stored(file) };
    }
    if (VALUED.test(arg)) at += 1;
  }
  return { args: [], program: piped };
}

const isModule = (source: string): boolean => worker.isModule(source) === 'true';

const typed = (source: string, where: string): Program => ({
  source,
  file: `${guestProcess.cwd()}/[${where}]`,
  module: isModule(source),
});

const piped = (): Program => typed(Buffer.concat(readStdin()).toString(), 'stdin');

function stored(wanted: string): Program {
  const file = asFile(wanted);
  if (file === undefined) throw new Error(`Cannot find module '${wanted}'`);
  const source = sourceOf(file);
  return { source, file, module: file.endsWith('.mjs') || (!/\.c[jt]s$/.test(file) && isModule(source)) };
}
