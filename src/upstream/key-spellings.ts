// Finds the caller's key in a text however it is spelt there: in either case, with the escapes of JSON, JavaScript, URLs
// and HTML, or inside base64. What was split, encrypted or turned around is not found. Pure.

import { type EscapedKey, escapedKey, findEscaped, type Range } from './escaped-key.ts';

export const MASK = '[redacted]';

type Spellings = {
  readonly plain: RegExp;
  readonly escaped: EscapedKey;
  readonly base64: readonly { readonly text: string; readonly stars: string }[];
};

/** A text that matches nothing of this holds no escaped key. */
const ESCAPE = /%[3-7][0-9a-f]|\\x[3-7]|\\u(?:00|\{)|&#/i;
/** A shorter key is looked for only together with its prefix: without it, it could be any text. */
const MIN_BARE_CHARS = 16;
const MAX_KNOWN = 256;
const known = new Map<string, Spellings>();

export function maskKey(text: string, apiKey: string): string {
  const { plain, escaped, base64 } = spellingsOf(apiKey);
  let masked = plain.test(text) ? text.replaceAll(new RegExp(plain, 'gi'), MASK) : text;
  if (ESCAPE.test(masked)) masked = maskRanges(masked, findEscaped(masked, escaped));
  for (const { text: found, stars } of base64) if (masked.includes(found)) masked = masked.replaceAll(found, stars);
  return masked;
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

/** The characters that spell nothing but the key where `offset` bytes of a group of three come before it. */
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
