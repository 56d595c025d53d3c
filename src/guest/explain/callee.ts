// Finds the call that failed when the engine's message is only "not a function". QuickJS reports the last position it
// passed, which is in the callee or in its arguments, so there may be several candidates; calls of known functions are
// excluded. Pure.
import type { AnyNode } from 'acorn';
import { parse } from '../accept/parser.ts';
import { childrenOf, isFunction, nodesOf } from '../accept/syntax.ts';

/** `text` is the callee as an error message shows it: `s.files.readText`, `(…).entries.map`. */
export type Callee = {
  readonly text: string;
  /** How it was used: called, with `new`, or in `for await`. */
  readonly as: 'call' | 'new' | 'loop';
};

/** Longer code is not searched, because parsing takes quadratic time in the worst case. */
const MAX_CHARS = 8192;
const MAX_TEXT = 80;

/** The candidates at `line` and `column` of `(${source}\n)`, as the engine counts them. Empty if there is no call there. */
export function calleesAt(source: string, line: number, column: number): Callee[] {
  const text = `(${source}\n)`;
  if (text.length > MAX_CHARS) return [];
  const at = offsetOf(text, line, column);
  try {
    const program = parse(text, { ecmaVersion: 2025 });
    const known = functionsIn(program);
    const found = candidates(program, at).filter(({ callee }) => !known.has(textOf(callee, text)));
    return found.map(({ callee, as }) => ({ text: textOf(callee, text), as })).filter(isOpen);
  } catch {
    return [];
  }
}

/** On the first line, QuickJS reports the column before the call. */
function offsetOf(text: string, line: number, column: number): number {
  const start = text.split('\n', line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  const at = start + column - 1;
  return line === 1 && /[\s.(]/.test(text[at] ?? '') ? at + 1 : at;
}

type Candidate = { readonly callee: AnyNode; readonly as: Callee['as'] };

/** The calls that contain `at`, within the same function, and whose callee or arguments may be at `at`; innermost first. */
function candidates(program: AnyNode, at: number): Candidate[] {
  const found: Candidate[] = [];
  let inside: AnyNode | undefined = program;
  while (inside !== undefined) {
    const node: AnyNode = inside;
    if (isFunction(node)) found.length = 0;
    const candidate = candidateOf(node, at);
    if (candidate !== undefined) found.unshift(candidate);
    inside = childrenOf(node).find(
      child => child.start <= at && at < child.end && !(isFunction(child) && child.start === at),
    );
  }
  return found;
}

function candidateOf(node: AnyNode, at: number): Candidate | undefined {
  if (node.type === 'ForOfStatement' && node.await && node.right.start <= at && at < node.right.end) {
    return { callee: node.right, as: 'loop' };
  }
  if (node.type !== 'CallExpression' && node.type !== 'NewExpression') return undefined;
  const { callee } = node;
  const anchor = callee.type === 'MemberExpression' && !callee.computed ? callee.property.start : callee.start;
  if (at !== anchor && at < callee.end && !(node.type === 'NewExpression' && at >= callee.start)) return undefined;
  return { callee, as: node.type === 'NewExpression' ? 'new' : 'call' };
}

/** The callee as it is written, on one line, with `…` for everything in brackets. */
function textOf(node: AnyNode, text: string): string {
  if (node.type === 'Identifier') return node.name;
  if (node.type === 'ThisExpression') return 'this';
  if (node.type === 'ChainExpression') return textOf(node.expression, text);
  if (node.type === 'CallExpression') return `${textOf(node.callee, text)}(${node.arguments.length > 0 ? '…' : ''})`;
  if (node.type !== 'MemberExpression') return '(…)';
  const owner = textOf(node.object, text);
  if (node.property.type === 'PrivateIdentifier') return `${owner}.#${node.property.name}`;
  return node.computed ? `${owner}[…]` : `${owner}.${textOf(node.property, text)}`;
}

const BUILT_IN: Record<string, object> = { Array, Date, JSON, Math, Number, Object, Promise, Reflect, String };
const SURE =
  /^(?:api\.request|display|structuredClone|(?:set|clear)(?:Timeout|Interval)|console\.\w+|Sandbox\.(?:create|connect|list|kill|getInfo)|.*\.(?:commands\.(?:run|list|kill|connect)|files\.(?:read|write|list|exists|remove)|toString))$/;

/** Whether the callee may be the one that is not a function: false for known functions. */
function isOpen({ text, as }: Callee): boolean {
  if (text.length > MAX_TEXT) return false;
  if (as === 'loop') return true;
  const [owner = '', name, more] = text.split('.');
  if (SURE.test(text) || more !== undefined) return !SURE.test(text);
  if (name === undefined) return typeof (globalThis as Record<string, unknown>)[owner] !== 'function';
  const built = Object.hasOwn(BUILT_IN, owner) ? (BUILT_IN[owner] as Record<string, unknown>) : {};
  return !(Object.hasOwn(built, name) && typeof built[name] === 'function');
}

/** The names of functions that the code defines. */
function functionsIn(program: AnyNode): Set<string> {
  const names = new Set<string>();
  for (const { node } of nodesOf(program)) {
    if (node.type === 'FunctionDeclaration' && node.id) names.add(node.id.name);
    if (node.type === 'VariableDeclarator' && node.id.type === 'Identifier' && isFunction(node.init))
      names.add(node.id.name);
  }
  return names;
}
