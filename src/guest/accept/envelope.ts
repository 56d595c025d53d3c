// Removes text around code or data: tags of a tool call, the name of the language, prose with a block of JSON, line ends
// written as \n. Returns undefined for text without any of these. Pure.
import { tryParseJson } from '../../ground/json.ts';
import { isCode, parses } from './syntax.ts';

/** The elements of known tool call formats. Other elements may be part of the code, so they are kept. */
const ELEMENTS =
  'tool_calls?|tool_use|tool|function_calls?|function|invoke|parameter|arguments|input|code|javascript|js|script|execute_write|execute_read|search';
const TAGGED = new RegExp(
  String.raw`^\s*<((?:\w+:)?(?:${ELEMENTS}))(?:=[\w."']+)?(?:\s[^<>]{0,200})?>([\s\S]*)</\1>\s*$`,
  'i',
);
const CDATA = /^\s*<!\[CDATA\[([\s\S]*)\]\]>\s*$/;
const LANGUAGE_LINE = /^\s*(?:javascript|js|typescript|ts|json)[ \t]*\n/i;
const JSON_WORD = /^\s*json\s*(?=[{[])/i;
const LABEL = /^\s*["']?code["']?\s*:\s*(?=async\b|function\b|\()/;
const BLOCK = /^[ \t]*(`{3,})(?:json5?|jsonc)?[ \t]*\n([\s\S]*?)\n?[ \t]*\1[ \t]*$/gim;

/** Removes one layer; undefined if there is none. */
export function withoutEnvelope(text: string): string | undefined {
  for (const pattern of [TAGGED, CDATA]) {
    const inner = pattern.exec(text)?.at(-1);
    if (inner !== undefined) return inner;
  }
  for (const pattern of [LANGUAGE_LINE, JSON_WORD, LABEL]) {
    const before = pattern.exec(text)?.[0];
    if (before !== undefined && text.length > before.length) return text.slice(before.length);
  }
  return withRealLineEnds(text);
}

/** The content of the only fenced block that may hold JSON, alone or after prose; undefined if there are more, or none. */
export function dataBlock(text: string): string | undefined {
  const [only, more] = [...text.matchAll(BLOCK)];
  if (only === undefined || more !== undefined || /[`=;{}]/.test(text.slice(0, only.index))) return undefined;
  return only[2];
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/** For code that was escaped once too often: one line, with a written \n where its lines end. */
function withRealLineEnds(text: string): string | undefined {
  if (!/\\n/.test(text) || text.trim().includes('\n') || parses(text)) return undefined;
  const string = tryParseJson(`"${text}"`);
  const real =
    typeof string === 'string'
      ? string
      : text.replace(/\\([\\nrt"'])/g, (_, escaped: string) => ESCAPES[escaped] ?? escaped);
  return isCode(real) ? real : undefined;
}
