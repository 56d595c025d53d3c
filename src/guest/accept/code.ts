// Turns the code that a model wrote into one expression that the engine can evaluate, or throws an error that shows the
// place of the mistake. Pure; the type stripper is a parameter. The accepted forms are in forms.ts.
import type { AnyNode } from 'acorn';
import type { Surface } from '../../engine/engine.ts';
import { GatewayError } from '../../errors.ts';
import { absentNames } from './absent-names.ts';
import { blankHashbang, escapeFences, fencedBlocks, firstFence, outerBlock } from './fences.ts';
import { foreign } from './foreign.ts';
import { type Edit, inOrder, shapeOfExpression, shapeOfProgram } from './forms.ts';
import { withoutSdkImports, withoutTypedImports } from './imports.ts';
import {
  type Fault,
  faultOfExpression,
  oddCharacterAt,
  parseExpression,
  parses,
  parseText,
  placeOf,
  Refused,
  showing,
} from './syntax.ts';
import type { Stripped } from './typescript.ts';
import { unwrapped } from './wrapped.ts';

declare const accepted: unique symbol;

/** The gateway inserted `by` characters at `line` and `column` (1-based, in the text that the engine evaluates). */
type Insertion = { readonly line: number; readonly column: number; readonly by: number };

export type AcceptedCode = {
  readonly [accepted]: true;
  /** The engine evaluates `(${source}\n)`: a function to call, or a value or promise. It has the agent's line numbers. */
  readonly source: string;
  /** The code that the agent sent, without data around it (wrapped.ts) and with \n as line ends. */
  readonly text: string;
  /** For `ownColumn`, in order; the bracket that the engine adds is included. */
  readonly insertions: readonly Insertion[];
};

/** Code as the agent wrote it, which an engine's worker may accept by itself: see plain.ts. */
export type CodeAsWritten = { readonly text: string };

/** Maximum length for plain.ts. The worst text of this length takes the parser 50 to 70 ms, which count as the run's time. */
export const MAX_PLAIN_CHARS = 8_192;

export type AcceptOptions = {
  readonly maxChars: number;
  /** The tool that the code was sent to; error messages name what that tool offers. Default `write`. */
  readonly surface?: Surface;
  /** Without it only plain JavaScript is accepted. */
  readonly stripTypes?: (text: string) => Stripped;
};

/**
 * Accepts every form that docs/tools.md lists under "The function". The source is the agent's program, with text that is not code replaced by spaces; a
 * bare body gets a function around it and a `return` before its last expression.
 * Throws GatewayError: code_invalid, code_too_large, code_syntax.
 */
export function acceptCode(code: unknown, { maxChars, stripTypes, surface = 'write' }: AcceptOptions): AcceptedCode {
  const sent = checkLength(code, maxChars);
  // \r\n and \r are line ends that JavaScript itself reads as \n, in templates too.
  const text = showing(sent, () => unwrapped(sent, surface)).replace(/\r\n?/g, '\n');
  if (text.trim() === '') throw new GatewayError('code_invalid');
  return showing(text, () => {
    const read = readOne(readingOf(text), stripTypes, surface);
    if (!read.ok) throw new Refused('code_syntax', foreign(text, oddCharacterAt(text, read.fault), surface));
    return finish(text, read);
  });
}

/** For places of errors: parses code again that a worker accepted. It may fail: a run can end before its code was parsed. */
export function acceptedFrom(code: AcceptedCode | CodeAsWritten): AcceptedCode {
  if ('source' in code) return code;
  try {
    return acceptCode(code.text, { maxChars: MAX_PLAIN_CHARS });
  } catch {
    const unread: Omit<AcceptedCode, typeof accepted> = { source: '', text: code.text, insertions: [] };
    return unread as AcceptedCode;
  }
}

/** Checks that need no parsing. @throws GatewayError code_invalid, code_too_large */
export function checkLength(code: unknown, maxChars: number): string {
  if (typeof code !== 'string') throw new GatewayError('code_invalid');
  if (code.length <= maxChars) return code;
  throw new GatewayError(
    'code_too_large',
    `The code has ${code.length} characters; ${maxChars} are allowed. Send less, or put the data into a sandbox file.`,
  );
}

/** The text with everything blanked that is not code: fences, prose around them, a hashbang. */
function readingOf(text: string): string {
  const fence = firstFence(text);
  if (fence === -1) return blankHashbang(text);
  const whole = parseText(text);
  if (whole.ok && text[fence] === '~') return text;
  // A fence inside a comment is an example. Elsewhere ``` would parse as an empty template, called as a tag.
  if (whole.ok && whole.comments.some(comment => comment.start < fence && fence < comment.end)) return text;
  const blocks = fencedBlocks(text).filter(block => block.trim() !== '');
  // The code may produce Markdown, from a template literal that contains fences.
  const markdown = [text, outerBlock(text)].map(escapeFences).find(parses);
  if (markdown !== undefined && markdown.trim() !== '') return blankHashbang(markdown);
  const [block] = blocks;
  if (block === undefined) throw new GatewayError('code_invalid');
  if (blocks.length === 1) return blankHashbang(block);
  throw new GatewayError(
    'code_invalid',
    `There are ${blocks.length} fenced blocks of code in \`code\`. Send one function, without fences or prose.`,
  );
}

type Read =
  /** `isExpression`: the text needs no edits and was parsed as exactly one expression. */
  | { readonly ok: true; readonly text: string; readonly edits: readonly Edit[]; readonly isExpression: boolean }
  | { readonly ok: false; readonly fault: Fault };

/**
 * `f<T>(x)` is valid JavaScript, but means two comparisons there. It is taken as TypeScript, because formatted code
 * has spaces around the operators of a comparison.
 */
const GENERIC_CALL = /[\w$]<[^()=;]{1,200}>\(/;

/** Parses the text as plain JavaScript, or else as TypeScript. */
function readOne(given: string, stripTypes: AcceptOptions['stripTypes'], surface: Surface): Read {
  const asSent = readPlain(given, surface);
  // The stripper does not accept types among imported names, nor imports beside a top-level `return`.
  const text = asSent.ok ? given : withoutTypedImports(given);
  const plain = text === given ? asSent : readPlain(text, surface);
  if (plain.ok ? !GENERIC_CALL.test(text) : plain.fault.final) return plain;
  if (stripTypes === undefined) return plain.ok ? { ok: false, fault: NEEDS_TYPES } : plain;
  const stripped = stripTypes(text);
  if (plain.ok) return stripped.ok ? readPlain(stripped.text, surface) : plain;
  if (!stripped.ok) return { ok: false, fault: further(plain.fault, stripped.fault) };
  const typed = readPlain(stripped.text, surface);
  return typed.ok ? typed : { ok: false, fault: further(plain.fault, typed.fault) };
}

const NEEDS_TYPES: Fault = { message: 'This is TypeScript', offset: 0 };

/** Parses the text as a program, or else as an expression: an anonymous function is not a program. */
function readPlain(text: string, surface: Surface): Read {
  const read = (root: AnyNode, shape: () => Edit[]): Read => {
    const needed = withoutSdkImports(text, root);
    if (needed !== text) return readPlain(needed, surface);
    const shaping = shape();
    const { before, behind } = absentNames(text, root);
    const edits = inOrder([...behind, ...shaping, ...before]);
    return { ok: true, text, edits, isExpression: edits.length === 0 && isPlainFunction(text, root) };
  };
  const program = parseText(text);
  if (program.ok) return read(program.node, () => shapeOfProgram(text, program.node, surface));
  const expression = parseExpression(text);
  if (expression.ok) return read(expression.node, () => shapeOfExpression(text, expression.node, expression.rest));
  return { ok: false, fault: further(program.fault, expression.fault) };
}

/** `parseText` accepts more than an expression may contain, but only with these words: modules, `return` in a static block. */
const LENIENT_WORDS = /\b(?:import|export|static)\b/;

/** Whether the program is just `async () => …`. If so, `faultOfExpression` would find nothing, and need not parse it again. */
const isPlainFunction = (text: string, root: AnyNode): boolean =>
  root.type === 'Program' && root.body.length === 1 && isBareArrow(root.body[0]) && !LENIENT_WORDS.test(text);

const isBareArrow = (node: AnyNode | undefined): boolean =>
  node?.type === 'ExpressionStatement' &&
  node.expression.type === 'ArrowFunctionExpression' &&
  node.expression.async &&
  node.expression.params.length === 0;

const further = (one: Fault, other: Fault): Fault =>
  other.final || (!one.final && other.offset > one.offset) ? other : one;

/** Applies the edits, checks that the result is one expression, and records where columns moved. */
function finish(own: string, { text, edits, isExpression }: Extract<Read, { ok: true }>): AcceptedCode {
  let source = '';
  let at = 0;
  // The bracket that the engine adds.
  const insertions: Insertion[] = [{ line: 1, column: 1, by: 1 }];
  let lineStart = -1;
  let line = 1;
  const append = (part: string) => {
    for (let end = part.indexOf('\n'); end !== -1; end = part.indexOf('\n', end + 1)) {
      line += 1;
      lineStart = source.length + end + 1;
    }
    source += part;
  };
  for (const edit of edits) {
    append(text.slice(at, edit.start));
    const by = edit.text.length - (edit.end - edit.start);
    if (by > 0) insertions.push({ line, column: source.length - lineStart + 1, by });
    append(edit.text);
    at = edit.end;
  }
  append(text.slice(at));
  const code: Omit<AcceptedCode, typeof accepted> = { source, text: own, insertions };
  const result = code as AcceptedCode;
  const fault = isExpression ? undefined : faultOfExpression(source);
  if (fault === undefined) return result;
  const place = placeOf(`(${source}\n)`, fault.offset);
  const lines = own.split('\n').slice(0, place.line - 1);
  const offset = lines.join('\n').length + Math.sign(lines.length) + ownColumn(result, place.line, place.column) - 1;
  throw new Refused('code_syntax', { ...fault, offset: Math.min(offset, own.length) });
}

/** The column (1-based) in the agent's text for a column that the engine reports on `line`. */
export function ownColumn(code: AcceptedCode, line: number, column: number): number {
  let moved = 0;
  for (const insertion of code.insertions) {
    if (insertion.line === line && column > insertion.column)
      moved += Math.min(insertion.by, column - insertion.column);
  }
  return Math.max(1, column - moved);
}
