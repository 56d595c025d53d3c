// Parses JavaScript as the engines accept it, and shows where a fault in the agent's text is. Pure.
import type { AnyNode, Comment, Expression, Options, Program } from 'acorn';
import { GatewayError } from '../../errors.ts';
import { parse, parseExpressionAt } from './parser.ts';

/** `offset` counts UTF-16 units. `final`: parsing the text in another way cannot help. */
export type Fault = { readonly message: string; readonly offset: number; readonly final?: boolean };

type Attempt<Node> = { readonly ok: true; readonly node: Node } | { readonly ok: false; readonly fault: Fault };

/** Every engine runs ES2025. Newer syntax is refused here, so that it does not work on one engine only. */
const LANGUAGE: Options = { ecmaVersion: 2025, sourceType: 'script' };

/** An agent may write a script with top-level await, return and export. */
const LENIENT: Options = {
  ...LANGUAGE,
  allowAwaitOutsideFunction: true,
  allowReturnOutsideFunction: true,
  allowImportExportEverywhere: true,
};

/** Parses a program, and collects its comments. */
export function parseText(text: string): Attempt<Program> & { readonly comments: readonly Comment[] } {
  const comments: Comment[] = [];
  const parsed = attempt(text, () => parse(text, { ...LENIENT, onComment: comments }));
  // Engines differ on <!-- and -->: a comment for one is code for another.
  const html = comments.find(comment => comment.type === 'Line' && !text.startsWith('//', comment.start));
  if (html === undefined) return { ...parsed, comments };
  return {
    ok: false,
    fault: { message: 'HTML-like comments are not accepted', offset: html.start, final: true },
    comments,
  };
}

/** Parses one expression, which only semicolons (`rest`: their offsets) and comments may follow. */
export function parseExpression(text: string): Attempt<Expression> & { readonly rest: readonly number[] } {
  const parsed = attempt(text, () => parseExpressionAt(text, 0, LENIENT));
  if (!parsed.ok) return { ...parsed, rest: [] };
  const after = text.slice(0, parsed.node.end).replace(/[^\n]/g, ' ') + text.slice(parsed.node.end);
  const program = parseText(after);
  if (!program.ok) return { ...program, rest: [] };
  const more = program.node.body.find(statement => statement.type !== 'EmptyStatement');
  if (more !== undefined) return { ok: false, fault: { message: 'Unexpected token', offset: more.start }, rest: [] };
  return { ...parsed, rest: program.node.body.map(statement => statement.start) };
}

/** Whether `text` is a program or one expression. */
export const parses = (text: string): boolean => parseText(text).ok || parseExpression(text).ok;

/** Whether `text` parses, or begins like code, so that its mistake can be shown. */
export const isCode = (text: string): boolean => parses(text) || /^\s*(?:import|async|const|let)\b/.test(text);

/** Why `(source\n)` is not exactly one expression under strict rules; offsets are those of that text. */
export function faultOfExpression(source: string): Fault | undefined {
  const text = `(${source}\n)`;
  const parsed = attempt(text, () => parse(text, LANGUAGE));
  if (!parsed.ok) return parsed.fault;
  const single = parsed.node.body.length === 1 && parsed.node.body[0]?.type === 'ExpressionStatement';
  return single ? undefined : { message: 'This is more than one function. Send async () => { … }', offset: 1 };
}

function attempt<Node>(text: string, run: () => Node): Attempt<Node> {
  try {
    return { ok: true, node: run() };
  } catch (caught) {
    return { ok: false, fault: faultOf(caught, text) };
  }
}

function faultOf(caught: unknown, text: string): Fault {
  if (caught instanceof RangeError) return { message: 'The code is nested too deeply', offset: 0, final: true };
  if (!(caught instanceof SyntaxError && 'pos' in caught && typeof caught.pos === 'number')) throw caught;
  const offset = Math.min(caught.pos, text.length);
  return { message: plain(caught.message.replace(/ \(\d+:\d+\)$/, ''), text, offset), offset };
}

/** acorn's message, replaced by a clearer one for common mistakes of models. */
function plain(message: string, text: string, offset: number): string {
  if (message.startsWith('Not enough stack space')) return 'The code is nested too deeply';
  if (message === 'Unexpected token' && offset >= text.trimEnd().length)
    return 'Unexpected end of the code: a bracket, quote or brace is not closed';
  if (/\bawait\s+$/.test(text.slice(Math.max(0, offset - 40), offset)))
    return '`await` is in a function that is not async: make that function async';
  if (
    /\busing\s+[\w$]*$/.test(text.slice(Math.max(0, offset - 80), offset)) &&
    /^[\w$\s]*=/.test(text.slice(offset, offset + 80))
  )
    return '`using` is not supported: write try { … } finally { await sbx.kill() }';
  if (text[offset] === '@') return 'Decorators are not supported: call the wrapping function yourself';
  return message;
}

/** Characters that look like others or are invisible, and that models and editors insert. */
const ODD_CHARACTERS: readonly (readonly [RegExp, string])[] = [
  [/[\u200b-\u200f\u2060-\u2064\u00ad\u180e\u202a-\u202e\u2066-\u2069]/, 'an invisible character: remove it'],
  [/[\u201c-\u201f\u00ab\u00bb]/, 'a typographic quote: write " instead'],
  [/[\u2018-\u201b\u2032]/, "a typographic quote: write ' instead"],
  [/[\u2010-\u2015\u2212]/, 'not a minus sign: write - instead'],
  [/[\uff01-\uff5e]/, 'a full-width character: write the ASCII one instead'],
  [/\u037e/, 'a Greek question mark: write ; instead'],
  [/\u2026/, 'an ellipsis: code was left out here; write it out, or write ... to spread'],
  [/[^\P{Cc}\s]|\ufffd/u, 'not a character of code: remove it'],
];

/** `fault`, or a fault for a character near its place that JavaScript does not have outside strings. */
export function oddCharacterAt(text: string, fault: Fault): Fault {
  const from = Math.max(0, fault.offset - 3);
  for (let at = Math.min(fault.offset + 1, text.length - 1); at >= from; at -= 1) {
    const character = text[at] ?? '';
    const found = ODD_CHARACTERS.find(([pattern]) => pattern.test(character));
    if (found === undefined) continue;
    const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
    return { message: `The character U+${code} is ${found[1]}`, offset: at };
  }
  return fault;
}

export type Place = { readonly line: number; readonly column: number };

/** 1-based line and column of an offset; lines end at \n. */
export function placeOf(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: offset - lineStart + 1 };
}

const SHOWN = 120;

/** The line with a caret under the column; a long line is cut around the column. */
function showPlace(text: string, { line, column }: Place): string {
  const whole = (text.split('\n', line)[line - 1] ?? '').replace(/[\t\p{Cc}\u2028\u2029]/gu, ' ');
  const from = whole.length <= SHOWN ? 0 : Math.max(0, Math.min(column - SHOWN / 2, whole.length - SHOWN));
  const shown = `${from > 0 ? '…' : ''}${whole.slice(from, from + SHOWN)}${from + SHOWN < whole.length ? '…' : ''}`;
  const caret = column - 1 - from + (from > 0 ? 1 : 0);
  const label = String(line);
  return `${label} | ${shown.replace(/\p{Cs}/gu, '\ufffd')}\n${' '.repeat(label.length)} | ${' '.repeat(Math.max(0, Math.min(caret, SHOWN + 1)))}^`;
}

/** Why code is not accepted. `showing` turns it into an error that shows the place in the agent's text. */
export class Refused extends Error {
  readonly code: 'code_invalid' | 'code_syntax';
  readonly fault: Fault;

  constructor(code: 'code_invalid' | 'code_syntax', fault: Fault) {
    super(fault.message);
    this.code = code;
    this.fault = fault;
  }
}

/** @throws GatewayError with the place in `text` when `work` throws Refused */
export function showing<Result>(text: string, work: () => Result): Result {
  try {
    return work();
  } catch (caught) {
    throw caught instanceof Refused ? refusalIn(text, caught) : caught;
  }
}

/** The error for the agent: the reason, the place, and the line of its text. */
function refusalIn(text: string, { code, fault }: Refused): GatewayError {
  const place = placeOf(text, fault.offset);
  const whole = fault.message.replace(/\.$/, '');
  const reason = whole.length > 300 ? `${whole.slice(0, 300)}…` : whole;
  const prefix = code === 'code_syntax' ? 'The code does not parse. ' : '';
  return new GatewayError(
    code,
    `${prefix}Line ${place.line}, column ${place.column}: ${reason}.\n${showPlace(text, place)}`,
  );
}

/** Yields every node of the tree, parents first, and whether it is inside a function. Not recursive: trees may be deep. */
export function* nodesOf(root: AnyNode): Generator<{ node: AnyNode; inFunction: boolean }> {
  const stack: { node: AnyNode; inFunction: boolean }[] = [{ node: root, inFunction: false }];
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    yield item;
    const inFunction = item.inFunction || isFunction(item.node);
    for (const node of childrenOf(item.node)) stack.push({ node, inFunction });
  }
}

/** The direct children of a node, in the order of its fields. A plain loop for speed: it runs for every node. */
export function childrenOf(root: AnyNode): AnyNode[] {
  const children: AnyNode[] = [];
  for (const value of Object.values(root) as unknown[]) {
    if (typeof value !== 'object' || value === null) continue;
    if (isNode(value)) children.push(value);
    else if (Array.isArray(value)) for (const item of value) if (isNode(item)) children.push(item);
  }
  return children;
}

const isNode = (value: unknown): value is AnyNode =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string' && 'start' in value;

export type FunctionNode = Extract<
  AnyNode,
  { type: 'FunctionDeclaration' | 'FunctionExpression' | 'ArrowFunctionExpression' }
>;

export const isFunction = (node: AnyNode | null | undefined): node is FunctionNode =>
  node?.type === 'FunctionDeclaration' ||
  node?.type === 'FunctionExpression' ||
  node?.type === 'ArrowFunctionExpression';
