// Code that a model wrapped in data: a tool call as JSON, an object or array that holds `code`, a string of statements.
// Takes the code out; text that is no such data comes back as it is. Pure.
import type { AnyNode } from 'acorn';
import { tryParseJson } from '../../ground/json.ts';
import { parseExpression, parseText, Refused } from './syntax.ts';

const CODE_NAMES = ['code', 'javascript', 'js', 'typescript', 'script', 'source', 'program', 'snippet'];
/** What holds the arguments of a call, as the formats of several vendors have it. */
const HOLDERS = [
  'arguments',
  'args',
  'parameters',
  'params',
  'input',
  'tool_input',
  'function',
  'tool_calls',
  'kwargs',
];
const MAX_LAYERS = 6;

/** @throws Refused where there is more than one piece of code in it */
export function unwrapped(code: string): string {
  let text = code;
  for (let layer = 0; layer < MAX_LAYERS; layer++) {
    const inner = innerOf(text);
    if (inner === undefined) return text;
    text = inner;
  }
  return text;
}

const FENCED = /^\s*(`{3,})(?:json5?|jsonc)?[ \t]*\n([\s\S]*?)\n?[ \t]*\1\s*$/i;

function innerOf(text: string): string | undefined {
  const [, , fenced] = FENCED.exec(text) ?? [];
  const data = fenced ?? text;
  if (!/^\s*\(?\s*[[{"'`]/.test(data)) return undefined;
  const value = dataIn(data);
  if (typeof value === 'string') return looksLikeCode(value) ? value : undefined;
  return codeIn(value);
}

/** Of JSON, or of a literal of JavaScript; undefined for what is more than data. */
function dataIn(text: string): unknown {
  const data = tryParseJson(text);
  if (data !== undefined) return data;
  const bare = /^\s*\(([\s\S]*)\)[\s;]*$/.exec(text)?.[1] ?? text;
  const parsed = parseExpression(bare);
  return parsed.ok ? literal(parsed.node, bare) : undefined;
}

/** Functions come as the text they are. */
function literal(node: AnyNode, text: string): unknown {
  switch (node.type) {
    case 'Literal':
      return node.value;
    case 'TemplateLiteral':
      return node.expressions.length === 0 ? (node.quasis[0]?.value.cooked ?? undefined) : undefined;
    case 'ArrayExpression':
      return node.elements.map(element => (element === null ? undefined : literal(element, text)));
    case 'ObjectExpression':
      return Object.fromEntries(
        node.properties.flatMap(property => {
          if (property.type !== 'Property' || property.computed) return [];
          const { key, value, method } = property;
          const name = key.type === 'Identifier' ? key.name : String((key as { value?: unknown }).value);
          if (!method && /^(?:ArrowFunction|Function)Expression$/.test(value.type))
            return CODE_NAMES.includes(name) ? [[name, text.slice(value.start, value.end)]] : [];
          return [[name, literal(value, text)]];
        }),
      );
    default:
      return undefined;
  }
}

function codeIn(value: unknown): string | undefined {
  if (Array.isArray(value)) return codeInList(value);
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Readonly<Record<string, unknown>>;
  for (const name of CODE_NAMES) {
    const held = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (typeof held === 'string') return held;
  }
  for (const name of HOLDERS) {
    const held = Object.hasOwn(fields, name) ? fields[name] : undefined;
    const inner = typeof held === 'string' ? codeInText(held) : codeIn(held);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

/** Arguments may be JSON as text once more, or the code itself. */
function codeInText(text: string): string | undefined {
  if (/^\s*\{/.test(text)) {
    const inner = codeIn(dataIn(text));
    if (inner !== undefined) return inner;
  }
  return looksLikeCode(text) ? text : undefined;
}

function codeInList(list: readonly unknown[]): string | undefined {
  const found = list.flatMap(item => (typeof item === 'object' ? (codeIn(item) ?? []) : []));
  if (found.length > 1)
    throw new Refused('code_invalid', {
      message: `There are ${found.length} pieces of code in \`code\`. Send one function: async () => { … return value }`,
      offset: 0,
    });
  return list.length === 1 ? found[0] : undefined;
}

/** Something a program does, and not just words: `return`, a call, an assignment. */
const DOES = /(?:^|[\s;{(])(?:return|await|const|let|var|async|function|import|throw|if|for|while|try)\b|=>|[=;]|\w\(/;

function looksLikeCode(text: string): boolean {
  if (/^\s*[[{"]/.test(text) && innerOfSafely(text) !== undefined) return true;
  return (
    DOES.test(text) && (parseText(text).ok || parseExpression(text).ok || /^\s*(?:import|async|const|let)\b/.test(text))
  );
}

function innerOfSafely(text: string): string | undefined {
  try {
    return codeIn(JSON.parse(text));
  } catch {
    return undefined;
  }
}
