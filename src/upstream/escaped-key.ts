// Finds the key in a text where it is written with escapes: `%65`, `\x65`, `\u0065`, `\u{65}`, `&#101;` or `&#x65;`,
// mixed with plain characters, in either case. Works in one pass: keeps, for each position in the text, one bit for
// each prefix of the key that ends there. So the time per character does not depend on the text. Pure.

export type Range = { readonly from: number; readonly to: number };

/** JSON doubles backslashes. All in a row are part of the escape: one that is left would escape the mask itself. */
const MAX_BACKSLASHES = 64;
const MAX_ZEROS = 6;
const LONGEST = MAX_BACKSLASHES + 'u{'.length + MAX_ZEROS + '65}'.length;
/** Keys are ASCII. */
const CODES = 128;

const PERCENT = 0x25;
const AMPERSAND = 0x26;
const HASH = 0x23;
const SEMICOLON = 0x3b;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const ZERO = 0x30;
const U = 0x75;
const X = 0x78;

/** A key, prepared for `findEscaped`. */
export type EscapedKey = {
  readonly chars: number;
  /** Index at which the key begins without its prefix, since the prefix may be missing. */
  readonly bareAt: number;
  readonly words: number;
  /** For each character code, a bit set (in words of 32 bits) of the indexes in the key that have it. */
  readonly places: Int32Array;
  /** The indexes at which a match may begin, as a bit set. */
  readonly starts: Int32Array;
  /** 1 for each code with which a match may begin. */
  readonly first: Uint8Array;
};

export function escapedKey(prefix: string, bare: string): EscapedKey {
  const key = prefix + bare;
  const words = Math.ceil(key.length / 32);
  const places = new Int32Array(CODES * words);
  const starts = new Int32Array(words);
  const begins = [0, prefix.length];
  for (const [at, char] of [...key].entries())
    for (const code of [char.toLowerCase().charCodeAt(0), char.toUpperCase().charCodeAt(0)])
      if (code < CODES) setBit(places, code * words, at);
  for (const at of begins) setBit(starts, 0, at);
  const first = Uint8Array.from({ length: CODES }, (_, code) =>
    begins.some(at => hasBit(places, code * words, at)) ? 1 : 0,
  );
  return { chars: key.length, bareAt: prefix.length, words, places, starts, first };
}

/** `ranges` are in order and do not overlap. `isOpen`: the text ends with a beginning of the key. */
export type Found = { readonly ranges: readonly Range[]; readonly isOpen: boolean };

export function findEscaped(text: string, key: EscapedKey): Found {
  const { chars, words, places, starts, first } = key;
  const begun = startBegun(words, Math.min(text.length, chars * LONGEST) + LONGEST);
  const { mask, bits, kept, escapes } = begun;
  /** Extends the prefixes of the key that end at `from` by a character that takes the text from `from` to `to`. */
  const extend = (from: number, code: number, to: number, escapeFrom: number) => {
    const alive = kept[from & mask] === from;
    if (!alive && first[code] === 0) return;
    const before = (from & mask) * words;
    const slot = to & mask;
    for (let word = 0, carry = 0; word < words; word++) {
      const shorter = alive ? (bits[before + word] as number) : 0;
      const fit = ((shorter << 1) | carry | (starts[word] as number)) & (places[code * words + word] as number);
      carry = shorter >>> 31;
      if (fit === 0) continue;
      if (kept[slot] !== to) {
        kept[slot] = to;
        escapes[slot] = -1;
        for (let other = 0; other < words; other++) bits[slot * words + other] = 0;
      }
      (bits[slot * words + word] as number) |= fit;
      if (escapeFrom >= 0) escapes[slot] = escapeFrom;
    }
  };
  const found: Range[] = [];
  const lastWord = (chars - 1) >>> 5;
  const lastBit = 1 << ((chars - 1) & 31);
  for (let at = 0; at <= text.length; at++) {
    const slot = at & mask;
    const alive = kept[slot] === at;
    if (alive && ((bits[slot * words + lastWord] as number) & lastBit) !== 0) {
      found.push({ from: startOf(text, at, key, begun), to: at });
      for (let place = at; place < at + LONGEST; place++) kept[place & mask] = -1;
    }
    if (at === text.length) break;
    const code = text.charCodeAt(at);
    if (code < CODES && (alive || first[code] === 1)) extend(at, code, at + 1, -1);
    if (code !== PERCENT && code !== AMPERSAND && code !== BACKSLASH) continue;
    const escaped = escapeAt(text, at);
    if (escaped >= 0) extend(at, escaped & 0xff, at + (escaped >> 8), at);
  }
  return { ranges: found, isOpen: kept[text.length & mask] === text.length };
}

/** A ring buffer over recent positions in the text: which prefixes of the key end at each. */
type Begun = {
  readonly mask: number;
  readonly words: number;
  readonly bits: Int32Array;
  /** The position in the text that each slot is for. */
  readonly kept: Int32Array;
  /** Where the escape that ends at the position begins; -1 if none does. */
  readonly escapes: Int32Array;
};

function startBegun(words: number, places: number): Begun {
  const size = 2 ** Math.ceil(Math.log2(places + 2));
  const kept = new Int32Array(size).fill(-1);
  return { mask: size - 1, words, bits: new Int32Array(size * words), kept, escapes: new Int32Array(size) };
}

/** Goes back from the end of the match. Prefers an escape over a plain character, so that more is masked. */
function startOf(text: string, end: number, key: EscapedKey, { mask, words, bits, kept, escapes }: Begun): number {
  let at = end;
  for (let place = key.chars - 1; ; place--) {
    const mayStart = place === 0 || place === key.bareAt;
    const follows = (from: number) =>
      place > 0 && kept[from & mask] === from && hasBit(bits, (from & mask) * words, place - 1);
    const escaped = kept[at & mask] === at ? (escapes[at & mask] as number) : -1;
    const spells = escaped >= 0 && hasBit(key.places, (escapeAt(text, escaped) & 0xff) * words, place);
    at = spells && (mayStart || follows(escaped)) ? escaped : at - 1;
    if (mayStart && !follows(at)) return at;
  }
}

/** Returns the code of the escaped character plus 256 times the length of the escape, or -1 if there is no escape. */
function escapeAt(text: string, at: number): number {
  const first = text.charCodeAt(at);
  if (first === PERCENT) return spelt(text, at, at + 1, 2);
  if (first === AMPERSAND) return text.charCodeAt(at + 1) === HASH ? referenceAt(text, at) : -1;
  if (first !== BACKSLASH || text.charCodeAt(at - 1) === BACKSLASH) return -1;
  let after = at + 1;
  while (after - at < MAX_BACKSLASHES && text.charCodeAt(after) === BACKSLASH) after++;
  const letter = text.charCodeAt(after) | 0x20;
  if (letter === X) return spelt(text, at, after + 1, 2);
  if (letter !== U) return -1;
  const braced = text.charCodeAt(after + 1) === OPEN_BRACE;
  return braced ? spelt(text, at, after + 2, MAX_ZEROS + 2, CLOSE_BRACE) : spelt(text, at, after + 1, 4);
}

/** `&#101;` or `&#x65;`. */
function referenceAt(text: string, at: number): number {
  const isHex = (text.charCodeAt(at + 2) | 0x20) === X;
  return isHex
    ? spelt(text, at, at + 3, MAX_ZEROS + 2, SEMICOLON)
    : spelt(text, at, at + 2, MAX_ZEROS + 3, SEMICOLON, 10);
}

/** Reads exactly `digits` digits from `from`, or at most so many if they are followed by `closing`. */
function spelt(text: string, start: number, from: number, digits: number, closing = 0, radix = 16): number {
  let code = 0;
  let at = from;
  for (; at < from + digits; at++) {
    const digit = digitOf(text.charCodeAt(at));
    if (digit >= radix) break;
    code = code * radix + digit;
  }
  const whole = closing === 0 ? at === from + digits : at > from && text.charCodeAt(at) === closing;
  if (!whole || code >= CODES) return -1;
  return ((at + (closing === 0 ? 0 : 1) - start) << 8) | code;
}

/** Returns 99 if the code is not a digit. */
function digitOf(code: number): number {
  if (code >= ZERO && code <= 0x39) return code - ZERO;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : 99;
}

const setBit = (words: Int32Array, offset: number, at: number): void => {
  (words[offset + (at >>> 5)] as number) |= 1 << (at & 31);
};

const hasBit = (words: Int32Array, offset: number, at: number): boolean =>
  ((words[offset + (at >>> 5)] as number) & (1 << (at & 31))) !== 0;
