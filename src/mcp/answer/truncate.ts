// Shortens text for a model: JSON stays valid JSON, logs keep head and tail. Pure. Not recursive: results may be deep.
import { tryParseJson } from '../../ground/json.ts';

export type Truncated = { readonly text: string; readonly truncated: boolean; readonly note?: string };

/** A value with fewer characters is useless, so its container drops entries instead of shortening values further. */
const FLOOR = 24;
/** A container with more entries keeps fewer of them, but longer; a smaller one keeps every entry, shortened. */
const LIST = 16;
/** A value below this depth that does not fit is replaced by a marker, because each level costs one more scan. */
const MAX_DEPTH = 24;

/**
 * Returns valid JSON of at most `maxChars` characters (at least 2). Cuts array items, keys and long strings, and counts
 * them. `json` must be JSON; the start of any other text is returned as a JSON string.
 */
export function truncateJson(json: string, maxChars: number): Truncated {
  const cap = Math.max(2, Math.floor(maxChars));
  if (json.length <= cap) return { text: json, truncated: false };
  const text = shorten(json, cap);
  const note =
    `The result has ${count(json.length)} characters; it was cut to ${count(text.length)}. Return less: ` +
    'only the fields you need, e.g. rows.slice(0, 20).map(({ id, name }) => ({ id, name })).';
  return { text: isJson(text) ? text : shortenString(JSON.stringify(json), cap), truncated: true, note };
}

/** A value in the source text, and how many characters it may have in the output. */
type Piece = { readonly start: number; readonly end: number; readonly budget: number; readonly depth: number };

function shorten(json: string, cap: number): string {
  const out: string[] = [];
  const start = skipSpace(json, 0);
  const todo: (string | Piece)[] = [{ start, end: endOfValue(json, start), budget: cap, depth: 0 }];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    if (typeof next === 'string') out.push(next);
    else if (next.end - next.start <= next.budget) out.push(json.slice(next.start, next.end));
    else {
      const parts = shortenValue(json, next);
      for (let at = parts.length - 1; at >= 0; at -= 1) todo.push(parts[at] ?? '');
    }
  }
  return out.join('');
}

function shortenValue(json: string, piece: Piece): (string | Piece)[] {
  const open = json[piece.start];
  if (open === '"') return [shortenString(json.slice(piece.start, piece.end), piece.budget)];
  if (open !== '[' && open !== '{') return [piece.budget >= 4 ? 'null' : '""'];
  if (piece.depth < MAX_DEPTH) return shortenContainer(json, piece);
  const marker = `"… ${count(piece.end - piece.start)} characters of deeper levels"`;
  return [marker.length <= piece.budget ? marker : '""'];
}

type Entry = {
  /** `"key":`, or nothing in arrays. */ readonly key: string;
  readonly start: number;
  readonly end: number;
};

function shortenContainer(json: string, piece: Piece): (string | Piece)[] {
  const isArray = json[piece.start] === '[';
  const [open, close] = isArray ? ['[', ']'] : ['{', '}'];
  const entries = entriesOf(json, piece);
  const floor = entries.length > LIST ? Math.max(FLOOR, piece.budget / 4) : FLOOR;
  const least = ({ key, start, end }: Entry) => key.length + Math.min(end - start, floor);

  let kept = howMany(entries, least, piece.budget - 2);
  let room = 0;
  if (kept < entries.length) {
    // The length of the longest possible marker, so that it fits however many entries are kept.
    room = markerOf(isArray, entries.length, entries.length).length + 1;
    kept = howMany(entries, least, piece.budget - 2 - room);
  }
  const { head, tail } = isArray && kept < entries.length ? headAndTail(entries, kept, least) : { head: kept, tail: 0 };
  const shown = [...entries.slice(0, head), ...entries.slice(entries.length - tail)];
  const cut = entries.length - shown.length;
  const marker = cut > 0 && room <= piece.budget - 2 ? markerOf(isArray, cut, entries.length) : '';
  const fixed =
    2 +
    marker.length +
    shown.length -
    (marker === '' ? 1 : 0) +
    shown.reduce((sum, entry) => sum + entry.key.length, 0);
  const level = levelOf(
    shown.map(entry => entry.end - entry.start),
    piece.budget - fixed,
  );
  const items = shown.map(({ key, start, end }): (string | Piece)[] => [
    key,
    { start, end, budget: level, depth: piece.depth + 1 },
  ]);
  if (marker !== '') items.splice(head, 0, [marker]);
  return [open, ...items.flatMap((item, at) => (at > 0 ? [',', ...item] : item)), close];
}

/**
 * Uses about a quarter of the space of the first `kept` entries for the last ones: lists are often sorted, with the
 * newest entries at the end.
 */
function headAndTail(
  entries: readonly Entry[],
  kept: number,
  least: (entry: Entry) => number,
): { head: number; tail: number } {
  const given = Math.max(1, Math.ceil(kept / 4));
  let freed = entries.slice(kept - given, kept).reduce((sum, entry) => sum + least(entry), 0);
  let tail = 0;
  for (let at = entries.length - 1; tail < given && at >= kept; at -= 1, tail += 1) {
    const entry = entries[at];
    if (entry === undefined || least(entry) > freed) break;
    freed -= least(entry);
  }
  if (kept < 4 || tail === 0) return { head: kept, tail: 0 };
  let head = kept - given;
  for (let entry = entries[head]; entry !== undefined && head < kept && least(entry) <= freed; entry = entries[head]) {
    freed -= least(entry);
    head += 1;
  }
  return { head, tail };
}

/** How many entries, from the first, fit into `budget` with commas if each takes its minimum. */
function howMany(entries: readonly Entry[], least: (entry: Entry) => number, budget: number): number {
  let left = budget;
  for (const [at, entry] of entries.entries()) {
    left -= least(entry) + (at > 0 ? 1 : 0);
    if (left < 0) return at;
  }
  return entries.length;
}

const markerOf = (isArray: boolean, cut: number, of: number): string =>
  isArray ? `"… ${count(cut)} more of ${count(of)} items"` : `"…":"${count(cut)} more of ${count(of)} keys"`;

/** The maximum size per entry so that all fit into `budget`: space that small ones do not need goes to larger ones. */
function levelOf(sizes: readonly number[], budget: number): number {
  const sorted = [...sizes].sort((one, other) => one - other);
  let left = budget;
  for (const [at, size] of sorted.entries()) {
    const share = Math.floor(left / (sorted.length - at));
    if (size > share) return share;
    left -= size;
  }
  return Number.POSITIVE_INFINITY;
}

/** With less room, a string keeps its head only. */
const TAIL_ROOM = 80;

/** `raw` is a JSON string with its quotes. Keeps head and tail, and never splits an escape or a surrogate pair. */
function shortenString(raw: string, budget: number): string {
  if (raw.length <= budget) return raw;
  const room = budget - 2 - `… ${count(raw.length)} more characters …`.length;
  if (room < 4) return '""';
  const tailRoom = room < TAIL_ROOM ? 0 : Math.floor(room / 4);
  const last = raw.length - 1;
  let headEnd = 1;
  let tailStart = last;
  let rest = 0;
  for (let at = 1; at < last; ) {
    const length = lengthAt(raw, at);
    if (headEnd === at && at + length - 1 <= room - tailRoom) headEnd = at + length;
    else if (last - at <= tailRoom) {
      tailStart = at;
      break;
    } else rest += charactersAt(raw, at);
    at += length;
  }
  const tail = raw.slice(tailStart, last);
  return `${raw.slice(0, headEnd)}… ${count(rest)} more characters${tail === '' ? '' : ' …'}${tail}"`;
}

/** Length of what must not be split: a character, an escape, or a surrogate pair. */
function lengthAt(raw: string, at: number): number {
  const first = unitAt(raw, at);
  if (!isHigh(first.code)) return first.length;
  const second = unitAt(raw, at + first.length);
  return isLow(second.code) ? first.length + second.length : first.length;
}

const charactersAt = (raw: string, at: number): number => (lengthAt(raw, at) === unitAt(raw, at).length ? 1 : 2);

/** One UTF-16 unit of a raw JSON string: a character or an escape. */
function unitAt(raw: string, at: number): { code: number; length: number } {
  if (raw[at] !== '\\') return { code: raw.charCodeAt(at), length: 1 };
  if (raw[at + 1] !== 'u') return { code: 0, length: 2 };
  return { code: Number.parseInt(raw.slice(at + 2, at + 6), 16), length: 6 };
}

const isHigh = (code: number): boolean => code >= 0xd800 && code <= 0xdbff;
const isLow = (code: number): boolean => code >= 0xdc00 && code <= 0xdfff;

// Functions that scan JSON text without parsing it into values.

function entriesOf(json: string, { start, end }: Piece): Entry[] {
  const entries: Entry[] = [];
  const isArray = json[start] === '[';
  let at = skipSpace(json, start + 1);
  while (at < end - 1) {
    const keyStart = at;
    if (!isArray) at = skipSpace(json, skipSpace(json, endOfString(json, at)) + 1);
    const valueEnd = endOfValue(json, at);
    entries.push({ key: json.slice(keyStart, at), start: at, end: valueEnd });
    at = skipSpace(json, valueEnd);
    at = Math.max(skipSpace(json, json[at] === ',' ? at + 1 : at), keyStart + 1);
  }
  return entries;
}

function skipSpace(json: string, from: number): number {
  let at = from;
  while (at < json.length && json.charCodeAt(at) <= SPACE) at += 1;
  return at;
}

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;

/** `[` and `{`, `]` and `}`: each pair differs by one bit. */
const isOpen = (code: number): boolean => (code | 0x20) === 0x7b;
const isClose = (code: number): boolean => (code | 0x20) === 0x7d;

/** The index after the value that starts at `from`. */
function endOfValue(json: string, from: number): number {
  let depth = 0;
  for (let at = from; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(json, at) - 1;
      if (depth === 0) return at + 1;
    } else if (isOpen(code)) depth += 1;
    else if (isClose(code)) {
      depth -= 1;
      if (depth <= 0) return depth === 0 ? at + 1 : at;
    } else if (depth === 0 && (code === COMMA || code <= SPACE)) return at;
  }
  return json.length;
}

function endOfString(json: string, from: number): number {
  for (let quote = json.indexOf('"', from + 1); quote !== -1; quote = json.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (json[quote - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
  }
  return json.length;
}

const isJson = (text: string): boolean => tryParseJson(text) !== undefined;

/** Keeps head and tail of a log, at most `maxChars` characters, with a line between them that counts the rest. */
export function truncateLog(text: string, maxChars: number): Truncated {
  if (text.length <= maxChars) return { text, truncated: false };
  const marker = `\n… ${count(text.length)} of ${count(text.length)} characters cut …\n`;
  const room = maxChars - marker.length;
  if (room < 2) return { text: text.slice(0, whole(text, Math.max(0, maxChars))), truncated: true };
  const head = whole(text, Math.ceil(room / 2));
  const tail = whole(text, text.length - Math.floor(room / 2), 1);
  const cut = `\n… ${count(tail - head)} of ${count(text.length)} characters cut …\n`;
  return { text: text.slice(0, head) + cut + text.slice(tail), truncated: true };
}

/** Returns `at`, moved by one in `direction` if it would split a surrogate pair. */
const whole = (text: string, at: number, direction: 1 | -1 = -1): number =>
  isHigh(text.charCodeAt(at - 1)) && isLow(text.charCodeAt(at)) ? at + direction : at;

const count = (value: number): string => value.toLocaleString('en-US');
