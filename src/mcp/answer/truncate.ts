// Shortens what goes to a model: JSON stays JSON, logs keep head and tail. Pure; no recursion, for results may be deep.

export type Truncated = { readonly text: string; readonly truncated: boolean; readonly note?: string };

/** Below this many characters a value tells nothing, so its container rather loses entries. */
const FLOOR = 24;
/** Containers with more entries keep their head whole; smaller ones keep every entry, shortened. */
const LIST = 16;
/** Deeper than this a value that does not fit is replaced instead of opened: each level is one more scan. */
const MAX_DEPTH = 24;

/**
 * Valid JSON text of at most `maxChars` (2 at least). Array tails, keys and long strings are cut, each with a count.
 * `json` must be JSON text; anything else comes back as a JSON string of its head.
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

/** A value of the source text and what it may take. */
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
  let marker = '';
  if (kept < entries.length) {
    // The longest it can be, so that there is room for it whatever is kept.
    const room = markerOf(isArray, entries.length, entries.length).length + 1;
    kept = howMany(entries, least, piece.budget - 2 - room);
    if (room <= piece.budget - 2) marker = markerOf(isArray, entries.length - kept, entries.length);
  }
  const head = entries.slice(0, kept);
  const fixed =
    2 + marker.length + head.length - (marker === '' ? 1 : 0) + head.reduce((sum, entry) => sum + entry.key.length, 0);
  const level = levelOf(
    head.map(entry => entry.end - entry.start),
    piece.budget - fixed,
  );
  const parts: (string | Piece)[] = [open];
  head.forEach(({ key, start, end }, at) => {
    parts.push(at > 0 ? `,${key}` : key, { start, end, budget: level, depth: piece.depth + 1 });
  });
  parts.push(marker === '' || kept === 0 ? marker : `,${marker}`, close);
  return parts;
}

/** How many entries from the first fit into `budget`, commas included, when each takes its least. */
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

/** The most each may take so that all together take at most `budget`: what small ones leave goes to the large. */
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

/** `raw` is a JSON string with its quotes. Escapes and surrogate pairs stay whole. */
function shortenString(raw: string, budget: number): string {
  if (raw.length <= budget) return raw;
  const room = budget - 2 - `… ${count(raw.length)} more characters`.length;
  if (room < 4) return '""';
  let at = 1;
  for (let next = at; next < raw.length - 1; ) {
    const unit = unitAt(raw, next);
    const pair = isHigh(unit.code) && isLow(unitAt(raw, next + unit.length).code);
    const length = unit.length + (pair ? unitAt(raw, next + unit.length).length : 0);
    if (next + length - 1 > room) break;
    next += length;
    at = next;
  }
  let rest = 0;
  for (let next = at; next < raw.length - 1; rest += 1) next += unitAt(raw, next).length;
  return `${raw.slice(0, at)}… ${count(rest)} more characters"`;
}

/** One UTF-16 unit of a raw JSON string: a character or an escape. */
function unitAt(raw: string, at: number): { code: number; length: number } {
  if (raw[at] !== '\\') return { code: raw.charCodeAt(at), length: 1 };
  if (raw[at + 1] !== 'u') return { code: 0, length: 2 };
  return { code: Number.parseInt(raw.slice(at + 2, at + 6), 16), length: 6 };
}

const isHigh = (code: number): boolean => code >= 0xd800 && code <= 0xdbff;
const isLow = (code: number): boolean => code >= 0xdc00 && code <= 0xdfff;

// Reading JSON text without building it.

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

/** One past the value that starts at `from`. */
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

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Head and tail of a log, at most `maxChars` characters, with a line between that counts what is missing. */
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

/** `at`, or one unit on in `direction` where it would split a surrogate pair. */
const whole = (text: string, at: number, direction: 1 | -1 = -1): number =>
  isHigh(text.charCodeAt(at - 1)) && isLow(text.charCodeAt(at)) ? at + direction : at;

const count = (value: number): string => value.toLocaleString('en-US');
