// Checks that a text is JSON without building its value, which can take twenty times the memory of the text. V8 does not stop
// in the middle of JSON.parse, so not even the heap limit of a thread ends that.
import { stringOf, type Utf8 } from './json-text.ts';

/** `ends`: what closes the objects and arrays that are open. */
type Cursor = { readonly text: string; at: number; readonly ends: string[] };

const MAX_DEPTH = 10_000;
const CONTAINER_ENDS: Readonly<Record<string, string>> = { '[': ']', '{': '}' };
const WORDS = ['true', 'false', 'null'];
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const FIRST_PRINTABLE = 0x20;

/** Undefined unless the text is JSON after its first characters. */
export function checkedText(bytes: Utf8, skippedChars: number): string | undefined {
  const text = stringOf(bytes);
  return isJson(text, skippedChars) ? text : undefined;
}

/** Whether JSON.parse accepts the text from `start` on. False for more than 10,000 levels. */
export function isJson(text: string, start = 0): boolean {
  const cursor: Cursor = { text, at: start, ends: [] };
  for (;;) {
    if (!readValue(cursor)) return false;
    const next = readEnds(cursor);
    if (next !== 'another value') return next === 'end';
  }
}

/** Reads a scalar or an empty container, and the starts of containers before it. */
function readValue(cursor: Cursor): boolean {
  for (;;) {
    const first = peek(cursor);
    const end = CONTAINER_ENDS[first];
    if (end === undefined) return readScalar(cursor, first);
    if (cursor.ends.length === MAX_DEPTH) return false;
    cursor.at += 1;
    if (peek(cursor) === end) {
      cursor.at += 1;
      return true;
    }
    cursor.ends.push(end);
    if (end === '}' && !readKey(cursor)) return false;
  }
}

/** Reads what follows a value: ends of containers, and a comma or the end of the text. */
function readEnds(cursor: Cursor): 'another value' | 'end' | 'wrong' {
  for (;;) {
    const found = peek(cursor);
    const end = cursor.ends.at(-1);
    if (end === undefined) return found === '' ? 'end' : 'wrong';
    cursor.at += 1;
    if (found === ',') return end === ']' || readKey(cursor) ? 'another value' : 'wrong';
    if (found !== end) return 'wrong';
    cursor.ends.pop();
  }
}

function readKey(cursor: Cursor): boolean {
  if (peek(cursor) !== '"' || !readString(cursor) || peek(cursor) !== ':') return false;
  cursor.at += 1;
  return true;
}

function readScalar(cursor: Cursor, first: string): boolean {
  if (first === '"') return readString(cursor);
  const word = WORDS.find(each => cursor.text.startsWith(each, cursor.at));
  if (word === undefined) return readNumber(cursor);
  cursor.at += word.length;
  return true;
}

/** The next character that is not white space, or '' at the end. */
function peek(cursor: Cursor): string {
  while (' \t\n\r'.includes(cursor.text.charAt(cursor.at) || 'end')) cursor.at += 1;
  return cursor.text.charAt(cursor.at);
}

const ESCAPE = /["\\/bfnrt]|u[0-9a-fA-F]{4}/y;

function readString(cursor: Cursor): boolean {
  const { text } = cursor;
  for (let at = cursor.at + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      cursor.at = at + 1;
      return true;
    }
    if (code < FIRST_PRINTABLE) return false;
    if (code !== BACKSLASH) continue;
    ESCAPE.lastIndex = at + 1;
    if (!ESCAPE.test(text)) return false;
    at = ESCAPE.lastIndex - 1;
  }
  return false;
}

function readNumber(cursor: Cursor): boolean {
  const { text } = cursor;
  if (text[cursor.at] === '-') cursor.at += 1;
  if (text[cursor.at] === '0') cursor.at += 1;
  else if (!readDigits(cursor)) return false;
  if (text[cursor.at] === '.') {
    cursor.at += 1;
    if (!readDigits(cursor)) return false;
  }
  if (text[cursor.at] !== 'e' && text[cursor.at] !== 'E') return true;
  cursor.at += 1;
  if (text[cursor.at] === '-' || text[cursor.at] === '+') cursor.at += 1;
  return readDigits(cursor);
}

/** At least one. */
function readDigits(cursor: Cursor): boolean {
  const start = cursor.at;
  for (let code = cursor.text.charCodeAt(start); code >= 0x30 && code <= 0x39; ) {
    cursor.at += 1;
    code = cursor.text.charCodeAt(cursor.at);
  }
  return cursor.at > start;
}
