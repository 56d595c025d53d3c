// Node's command line, as far as it is understood here. Pure.

export type CommandLine = { readonly args: readonly string[] } & (
  | { readonly run: 'text'; readonly code: string; readonly prints: boolean }
  | { readonly run: 'stdin' }
  | { readonly run: 'file'; readonly file: string }
);

const EVAL = /^(?:-e|--eval)$/;
const PRINT = /^(?:-p|-pe|--print)$/;
/** Options with a value of their own, apart from it. */
const VALUED = /^(?:-r|--require|--import|--loader|--experimental-loader|--env-file|-C|--conditions)$/;

export function parseCommandLine(given: readonly string[]): CommandLine {
  for (let at = 0; at < given.length; at += 1) {
    const arg = given[at] ?? '';
    const [name = '', inline] = arg.startsWith('--') ? splitOnce(arg, '=') : [arg];
    if (EVAL.test(name) || PRINT.test(name)) {
      const code = inline ?? given[at + 1] ?? '';
      return { run: 'text', code, prints: PRINT.test(name), args: given.slice(inline === undefined ? at + 2 : at + 1) };
    }
    if (arg === '-') return { run: 'stdin', args: given.slice(at) };
    if (!arg.startsWith('-')) return { run: 'file', file: arg, args: given.slice(at + 1) };
    if (VALUED.test(arg)) at += 1;
  }
  return { run: 'stdin', args: [] };
}

function splitOnce(text: string, mark: string): [string, string | undefined] {
  const at = text.indexOf(mark);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
