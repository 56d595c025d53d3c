// Masks the caller's key in a text in all common spellings: in either case, with escapes of JSON, JavaScript, URLs and
// HTML, and inside base64. A key that was split, encrypted or reversed is not found. Pure.

import { type EscapedKey, escapedKey, findEscaped, type Range } from './escaped-key.ts';

export const MASK = '[redacted]';

type Spellings = {
  readonly plain: RegExp;
  readonly escaped: EscapedKey;
  readonly base64: readonly { readonly text: string; readonly stars: string }[];
};

/** A text that does not match this contains no escaped key. */
const ESCAPE = /%[3-7][0-9a-f]|\\x[3-7]|\\u(?:00|\{)|&#/i;
/** An escape that was cut off at the end of a text. */
const HALF_ESCAPE = /(?:%|\\{1,64}(?:x|u\{?)?|&#?x?)[0-9a-f]{0,8}$/i;
const SPACE = 0x20;
/** Minimum length of a key's beginning that is masked at a cut; fewer characters reveal nothing. */
const MIN_CUT_CHARS = 8;
/** A shorter key is only found with its prefix, because without it, it could match any text. */
const MIN_BARE_CHARS = 16;
const MAX_KNOWN = 256;
const known = new Map<string, Spellings>();

export function maskKey(text: string, apiKey: string): string {
  const { plain, escaped, base64 } = spellingsOf(apiKey);
  let masked = plain.test(text) ? text.replaceAll(new RegExp(plain, 'gi'), MASK) : text;
  if (ESCAPE.test(masked)) masked = maskRanges(masked, findEscaped(masked, escaped).ranges);
  for (const { text: found, stars } of base64) if (masked.includes(found)) masked = masked.replaceAll(found, stars);
  return masked;
}

/** The longest spelling of a key. No spelling contains a space or a control character. */
export const LONGEST_SPELLING_CHARS = 10_000;

/** Index at which the last word of a text begins. A key that was cut at the end of the text is in that word. */
export function lastWordAt(text: string): number {
  const first = Math.max(0, text.length - LONGEST_SPELLING_CHARS);
  let at = text.length;
  while (at > first && text.charCodeAt(at - 1) > SPACE) at--;
  return at;
}

/** Index at which the first word of a text ends. */
export function firstWordEnd(text: string): number {
  const last = Math.min(text.length, LONGEST_SPELLING_CHARS);
  let at = 0;
  while (at < last && text.charCodeAt(at) > SPACE) at++;
  return at;
}

/** Only so much of the end of a word is searched, on the main thread; no usual spelling of a key is longer. */
const MAX_OPEN_CHARS = 600;

/** Whether the text ends with the beginning of a spelling of the key, which following text could complete. */
export function mayGoOn(text: string, apiKey: string): boolean {
  const word = text.slice(Math.max(lastWordAt(text), text.length - MAX_OPEN_CHARS));
  if (word === '') return false;
  const { escaped, base64 } = spellingsOf(apiKey);
  const whole = withoutHalfEscape(word);
  return (
    findEscaped(word, escaped).isOpen ||
    (whole !== word && findEscaped(whole, escaped).isOpen) ||
    base64.some(({ text: core }) => beginningAtEnd(word, core, 1) > 0)
  );
}

/** Searches only the last 80 characters, because the longest escape has about 70. */
const withoutHalfEscape = (word: string): string => word.slice(0, -80) + word.slice(-80).replace(HALF_ESCAPE, '');

/** Masks a beginning of the key at the end of a text that was cut off there. */
export function maskCutKey(text: string, apiKey: string): string {
  const bare = apiKey.replace(/^[a-z0-9]+_/i, '');
  const end = text.slice(-apiKey.length).toLowerCase();
  const chars = Math.max(...[apiKey, bare].map(key => beginningAtEnd(end, key.toLowerCase(), MIN_CUT_CHARS)));
  return chars > 0 ? text.slice(0, -chars) + MASK : text;
}

/** Number of characters at the end of the text that are a beginning of `core`; 0 if they are fewer than `min`. */
function beginningAtEnd(text: string, core: string, min: number): number {
  for (let chars = Math.min(text.length, core.length); chars >= min; chars--)
    if (text.endsWith(core.slice(0, chars))) return chars;
  return 0;
}

function maskRanges(text: string, ranges: readonly Range[]): string {
  let masked = '';
  let end = 0;
  for (const { from, to } of ranges) {
    masked += text.slice(end, from) + MASK;
    end = to;
  }
  return masked + text.slice(end);
}

function spellingsOf(apiKey: string): Spellings {
  const found = known.get(apiKey);
  if (found !== undefined) return found;
  const [prefix = ''] = /^[a-z0-9]+_/i.exec(apiKey) ?? [];
  const short = apiKey.length - prefix.length < MIN_BARE_CHARS;
  const bare = short ? apiKey : apiKey.slice(prefix.length);
  const before = short ? '' : prefix;
  const made = {
    plain: new RegExp(`(?:${literally(before)})?${literally(bare)}`, 'i'),
    escaped: escapedKey(before, bare),
    base64: [0, 1, 2].flatMap(offset => base64At(bare, offset)),
  };
  known.set(apiKey, made);
  if (known.size > MAX_KNOWN) known.delete(known.keys().next().value ?? '');
  return made;
}

const literally = (chars: string): string => chars.replace(/[^\w]/g, '\\$&');

/** The base64 characters that depend only on the key, if `offset` bytes of a group of three come before it. */
function base64At(bare: string, offset: number): { readonly text: string; readonly stars: string }[] {
  const coreOf = (text: string): string => {
    const encoded = Buffer.concat([Buffer.alloc(offset), Buffer.from(text)]).toString('base64');
    return encoded.slice(Math.ceil((offset * 4) / 3), Math.floor(((offset + text.length) * 4) / 3));
  };
  const stars = coreOf('*'.repeat(bare.length));
  const text = coreOf(bare);
  const forUrls = text.replaceAll('+', '-').replaceAll('/', '_');
  return [...new Set([text, forUrls])].map(each => ({ text: each, stars }));
}
