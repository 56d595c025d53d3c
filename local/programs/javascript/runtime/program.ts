// `node …`: one program, from its command line to its end.
import path from 'path-browserify';
import { Buffer } from './buffer.ts';
import { type CommandLine, parseCommandLine } from './command-line.ts';
import { readStdin, worker } from './host.ts';
import { inspect, showError } from './inspect.ts';
import { asFile, giveSource, runCommon, sourceOf } from './modules.ts';
import { guestProcess } from './process.ts';

type Program = { readonly source: string; readonly file: string; readonly module: boolean };

/** Runs beside the event loop; what it throws ends everything. */
export async function runProgram(given: readonly string[]): Promise<void> {
  const line = parseCommandLine(given);
  const { argv } = guestProcess;
  try {
    if (line.run === 'file') argv.push(path.resolve(line.file));
    argv.push(...line.args);
    const program = programOf(line, guestProcess.cwd());
    if (!program.module) runCommon(program.source, program.file, { exports: {} });
    else {
      giveSource(program.file, program.source);
      await import(program.file);
    }
  } catch (error) {
    uncaught(error);
  }
}

export function uncaught(error: unknown): void {
  guestProcess.stderr.write(`Uncaught ${error instanceof Error ? showError(error) : inspect(error)}\n`);
  worker.exit('1');
}

function programOf(line: CommandLine, cwd: string): Program {
  if (line.run === 'file') return stored(path.resolve(line.file));
  if (line.run === 'text' && line.prints) {
    return { source: `console.log(eval(${JSON.stringify(line.code)}))`, file: `${cwd}/[eval]`, module: false };
  }
  const source = line.run === 'text' ? line.code : Buffer.concat(readStdin()).toString();
  return { source, file: `${cwd}/[${line.run === 'text' ? 'eval' : 'stdin'}]`, module: isModule(source) };
}

function stored(wanted: string): Program {
  const file = asFile(wanted);
  if (file === undefined) throw new Error(`Cannot find module '${wanted}'`);
  const source = sourceOf(file);
  return { source, file, module: file.endsWith('.mjs') || (!/\.c[jt]s$/.test(file) && isModule(source)) };
}

const isModule = (source: string): boolean => worker.isModule(source) === 'true';
