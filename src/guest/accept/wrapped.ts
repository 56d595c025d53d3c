// Extracts code that a model wrapped in data: a tool call as JSON, an object or array with a field `code`, a string of
// statements. Other text is returned unchanged. Pure.
import type { AnyNode } from 'acorn';
import type { Surface } from '../../engine/engine.ts';
import { isRecord, tryParseJson } from '../../ground/json.ts';
import { dataBlock, withoutEnvelope } from './envelope.ts';
import { foreignMessage } from './foreign.ts';
import type { Language } from './language.ts';
import { isCode, parseExpression, parses, Refused } from './syntax.ts';

/** Fields whose text is always taken as code. Names are compared without case, `_` and `-`. */
const CODE_NAMES = new Set('code javascript js typescript ts jscode javascriptcode codestring sourcecode'.split(' '));
/** Fields whose text is taken as code if it looks like code. */
const LIKELY_NAMES = new Set('script source program snippet codesnippet codeblock input arguments'.split(' '));
const LANGUAGE_NAMES = new Set(['language', 'lang', 'runtime']);
const LANGUAGES: readonly (readonly [RegExp, Language])[] = [
  [/^py(?:thon)?[\d.]*$/i, 'Python'],
  [/^(?:ba|z)?sh$|^shell$|^cmd$/i, 'a shell command'],
  [/^r$/i, 'R'],
  [/^java$/i, 'Java'],
];
/** Field names of tool calls. An object with one of them is a wrapped call, not a value that the code is meant to return. */
const CALL_NAMES = new Set([
  ...CODE_NAMES,
  ...LIKELY_NAMES,
  ...LANGUAGE_NAMES,
  ...'command cmd shell bash python query tool toolname toolinput parameters params args tooluses toolcalls'.split(' '),
]);
const MAX_LAYERS = 8;
const MAX_VALUES = 2_000;
const MAX_DEPTH = 12;

/** @throws Refused for data without code, or with more than one piece of it */
export function unwrapped(code: string, surface: Surface): string {
  let text = code;
  for (let layer = 0; layer < MAX_LAYERS; layer++) {
    const inner = withoutEnvelope(text) ?? innerOf(text, surface);
    if (inner === undefined) return text;
    text = inner;
  }
  return text;
}

const plainName = (name: string): string => name.toLowerCase().replace(/[_-]/g, '');

const MAY_BE_DATA = /^\s*(?:return\s|export\s+default\s|module\.exports\s*=)?\s*\(?\s*[[{"'`]/;

function innerOf(text: string, surface: Surface): string | undefined {
  const block = dataBlock(text);
  const data = block ?? text;
  if (!MAY_BE_DATA.test(data)) return undefined;
  const value = dataIn(data);
  if (typeof value === 'string') return looksLikeCode(value) ? value : undefined;
  const inner = codeIn(value, surface) ?? programIn(tryParseJson(data));
  if (inner !== undefined) return inner;
  if (!isRecord(value) || !Object.keys(value).some(name => CALL_NAMES.has(plainName(name)))) return undefined;
  throw new Refused('code_invalid', {
    message: 'This is data without code in it. Send one function: async () => { … return value }',
    offset: 0,
  });
}

/** The only string in JSON, or a list of lines, if it is clearly a program and not a value to return. */
function programIn(json: unknown): string | undefined {
  const held = isRecord(json) ? Object.values(json) : json;
  if (!Array.isArray(held) || (isRecord(json) && held.length !== 1)) return undefined;
  if (!held.every(line => typeof line === 'string')) return undefined;
  const text = held.join('\n');
  return FENCED.test(text) || (STATES.test(text) && parses(text)) ? text : undefined;
}

const FENCED = /^\s*```[\s\S]*```\s*$/;
const STATES = /(?:^|[\s;{(])(?:return|await|const|let|var|async|function|import|throw)\b|;\s*$/;

/** The value of JSON or of a JavaScript literal; undefined for text that is more than data. */
function dataIn(text: string): unknown {
  const data = tryParseJson(text) ?? tryParseJson(withEscapedLines(text));
  if (data !== undefined) return data;
  const bare = text.replace(/^\s*(?:return\s|export\s+default\s|module\.exports\s*=)/, '');
  const inner = /^\s*\(([\s\S]*)\)[\s;]*$/.exec(bare)?.[1] ?? bare;
  const parsed = parseExpression(inner);
  return parsed.ok ? literal(parsed.node, inner) : undefined;
}

/** Escapes line ends inside the strings of JSON; models often forget to. */
const withEscapedLines = (text: string): string =>
  text.replace(/"(?:[^"\\]|\\[\s\S])*"/g, part =>
    part.replace(/\r?\n/g, '\\n').replace(/\r/g, '\\r').replace(/\t/g, '\\t'),
  );

/** The value of a literal; functions become their text. */
function literal(node: AnyNode, text: string): unknown {
  switch (node.type) {
    case 'Literal':
      return node.value;
    case 'TemplateLiteral':
      return node.expressions.length === 0 ? (node.quasis[0]?.value.cooked ?? undefined) : undefined;
    case 'ArrowFunctionExpression':
    case 'FunctionExpression':
      return text.slice(node.start, node.end);
    case 'ArrayExpression':
      return node.elements.map(element => (element === null ? undefined : literal(element, text)));
    case 'ObjectExpression':
      return Object.fromEntries(
        node.properties.flatMap(property => {
          if (property.type !== 'Property' || property.computed) return [];
          const { key, value, method } = property;
          const name = key.type === 'Identifier' ? key.name : String((key as { value?: unknown }).value);
          if (!method || value.type !== 'FunctionExpression') return [[name, literal(value, text)]];
          return [[name, `${value.async ? 'async ' : ''}function ${text.slice(value.start, value.end)}`]];
        }),
      );
    default:
      return undefined;
  }
}

/** Pieces of code that were found: `named` by the name of their field, `functions` because the text is a function. */
type Found = { readonly named: Set<string>; readonly functions: Set<string>; values: number };

function codeIn(value: unknown, surface: Surface): string | undefined {
  const found: Found = { named: new Set(), functions: new Set(), values: 0 };
  collect(value, '', 0, found, surface);
  const pieces = found.named.size > 0 ? found.named : found.functions;
  if (pieces.size > 1)
    throw new Refused('code_invalid', {
      message: `There are ${pieces.size} pieces of code in \`code\`. Send one function: async () => { … return value }`,
      offset: 0,
    });
  const [only] = pieces;
  return only;
}

function collect(value: unknown, name: string, depth: number, found: Found, surface: Surface): void {
  found.values += 1;
  if (found.values > MAX_VALUES || depth > MAX_DEPTH) return;
  if (typeof value === 'string') collectText(value, name, depth, found, surface);
  else if (Array.isArray(value)) collectList(value, name, depth, found, surface);
  else if (typeof value === 'object' && value !== null) {
    refuseLanguage(value, surface);
    for (const [key, inner] of Object.entries(value)) collect(inner, plainName(key), depth + 1, found, surface);
  }
}

/** A list of strings may be the lines of one program. */
function collectList(list: readonly unknown[], name: string, depth: number, found: Found, surface: Surface): void {
  const isText = list.length > 0 && list.every(line => typeof line === 'string');
  const whole = isText ? list.join('\n') : '';
  if (isText && CODE_NAMES.has(name)) found.named.add(whole);
  else if (isText && isFunctionText(whole)) found.functions.add(whole);
  else for (const item of list) collect(item, name, depth + 1, found, surface);
}

function collectText(text: string, name: string, depth: number, found: Found, surface: Surface): void {
  // The arguments of a call may be JSON inside a string.
  const data = /^\s*[{[]/.test(text) ? (tryParseJson(text) ?? tryParseJson(withEscapedLines(text))) : undefined;
  if (CODE_NAMES.has(name)) found.named.add(text);
  else if (typeof data === 'object') collect(data, name, depth + 1, found, surface);
  else if (LIKELY_NAMES.has(name) && looksLikeCode(text)) found.named.add(text);
  else if (isFunctionText(text)) found.functions.add(text);
}

function refuseLanguage(fields: object, surface: Surface): void {
  const entries = Object.entries(fields);
  if (!entries.some(([name, value]) => name.toLowerCase() === 'code' && typeof value === 'string')) return;
  for (const [name, value] of entries) {
    if (!LANGUAGE_NAMES.has(name.toLowerCase()) || typeof value !== 'string') continue;
    const language = LANGUAGES.find(([pattern]) => pattern.test(value.trim()))?.[1];
    if (language === undefined) continue;
    throw new Refused('code_invalid', { message: foreignMessage(language, surface), offset: 0 });
  }
}

/** Text with a statement, a call or an assignment is code and not prose. */
const DOES = /(?:^|[\s;{(])(?:return|await|const|let|var|async|function|import|throw|if|for|while|try)\b|=>|[=;]|\w\(/;
const FUNCTION = /^\s*(?:export\s+default\s+)?(?:async\b|function\b|\(|[\w$]+\s*=>)/;

const isFunctionText = (text: string): boolean =>
  FUNCTION.test(text) &&
  /=>|\bfunction\b/.test(text) &&
  (parses(text) || /^\s*(?:export\s+default\s+)?async\b/.test(text));

function looksLikeCode(text: string): boolean {
  if (/^\s*[[{"]/.test(text) && typeof tryParseJson(text) === 'object') return true;
  return DOES.test(text) && isCode(text);
}
