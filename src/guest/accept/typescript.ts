// Removes types from agents' TypeScript; every other character keeps its place. (Local mode strips types from programs in
// its sandboxes in local/programs/javascript/syntax.ts.) Runs on the acceptor's threads only, because swc takes
// exponential time on some inputs and traps on deeply nested ones.
import { createRequire } from 'node:module';
import type { Fault } from './syntax.ts';

export type Stripped = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly fault: Fault };

type Swc = { transformSync(source: string, options: { mode: 'strip-only' }): { code: string } };

/** Loaded on first use, because it takes 40 ms and 10 MB of WebAssembly. */
let swc: Swc | undefined;
const load = (): Swc => {
  swc ??= createRequire(import.meta.url)('@swc/wasm-typescript') as Swc;
  return swc;
};

/** `text` without its types, or the fault in it. Throws when swc traps. */
export function stripTypes(text: string): Stripped {
  const module = stripWrapped(text, '', '');
  if (module.ok || module.fault.final) return module;
  // The body of a function may have a `return`, a module may not.
  if (module.fault.message.startsWith('Return statement')) return stripWrapped(text, 'async () => {', '\n}');
  // An anonymous function is an expression.
  const expression = stripWrapped(text, '(', '\n)');
  if (expression.ok) return expression;
  // A fault at the end of the text comes from the added bracket, not from the agent's code.
  const { offset } = expression.fault;
  return offset > module.fault.offset && offset < text.length ? expression : module;
}

function stripWrapped(text: string, before: string, after: string): Stripped {
  // swc counts columns of non-ASCII text differently, so it is given ASCII text of the same length.
  const ascii = text.replace(/[^\0-\x7f]/g, unit => (/\s/.test(unit) ? ' ' : 'x'));
  try {
    const { code } = load().transformSync(before + ascii + after, { mode: 'strip-only' });
    if (code.length !== before.length + ascii.length + after.length) throw new Error('the length changed');
    return { ok: true, text: restore(text, ascii, code.slice(before.length, before.length + text.length)) };
  } catch (caught) {
    return { ok: false, fault: faultOf(caught, text, before.length) };
  }
}

/** Puts the agent's characters back, except where swc changed something. */
function restore(text: string, ascii: string, stripped: string): string {
  if (text === ascii) return stripped;
  let restored = '';
  for (let at = 0; at < text.length; at += 1) restored += stripped[at] === ascii[at] ? text[at] : stripped[at];
  return restored;
}

type SwcError = { code: string; message: string; startLine: number; startColumn: number };

const isSwcError = (caught: unknown): caught is SwcError =>
  typeof caught === 'object' && caught !== null && 'code' in caught && 'message' in caught && 'startLine' in caught;

function faultOf(caught: unknown, text: string, prefix: number): Fault {
  if (!isSwcError(caught)) throw caught;
  const lines = text.split('\n').slice(0, caught.startLine - 1);
  const lineStart = lines.reduce((sum, line) => sum + line.length + 1, 0);
  const column = caught.startColumn - (caught.startLine === 1 ? prefix : 0);
  const offset = Math.min(text.length, Math.max(0, lineStart + column));
  if (caught.code !== 'UnsupportedSyntax') return { message: short(caught.message), offset };
  return { message: unsupported(caught.message), offset, final: true };
}

const short = (message: string): string => (message.split(/\. |, /, 1)[0] ?? message).slice(0, 200);

const INSTEAD: readonly (readonly [RegExp, string])[] = [
  [/enum/i, 'TypeScript enums are not supported: use an object, e.g. const Color = { Red: "red" }'],
  [/namespace|module/i, 'TypeScript namespaces are not supported: use plain functions or an object'],
  [
    /parameter property/i,
    'TypeScript parameter properties are not supported: declare the field and assign it in the constructor',
  ],
  [/angle-bracket|type assertion/i, 'Type assertions in angle brackets are not supported: write `value as Type`'],
  [/import|export/i, 'There are no modules here: what is available is global'],
];

const unsupported = (message: string): string =>
  INSTEAD.find(([pattern]) => pattern.test(message))?.[1] ??
  `${message.replace(/ in strip-only mode/, '')}: write plain JavaScript there`;
