// Node's encodings of text. UTF-8, base64 and hex use the engine's native functions, because loops would be slow.
import { binaryString, decodeUtf8, decodeUtf16, encodeUtf8, wholeUtf8 } from '../text.ts';
import { unknownEncoding } from './checks.ts';

type Codec = { fromHex(text: string): Uint8Array; fromBase64(text: string): Uint8Array };
type Encoded = Uint8Array & { toHex(): string; toBase64(options?: object): string };
const codec = Uint8Array as unknown as Codec;

export type Encoding = {
  readonly read: (text: string) => Uint8Array;
  readonly show: (bytes: Uint8Array) => string;
  /** The length that Node reports, which for base64 and hex may be more than `read` returns. */
  readonly byteLength: (text: string) => number;
  /** How many of at most `max` bytes are whole characters. */
  readonly fit: (bytes: Uint8Array, max: number) => number;
  /** The smallest size of a character, in bytes. */
  readonly unit: 1 | 2;
};

/** Decodes base64 like Node: accepts both alphabets, skips other characters, and stops at a `=`. */
function fromBase64(text: string): Uint8Array {
  return strictly(codec.fromBase64, text) ?? fromLooseBase64(text);
}

/** Patterns are slow in the guest, so usual text is given to the engine's own function as it is. */
function strictly(decode: (text: string) => Uint8Array, text: string): Uint8Array | undefined {
  try {
    return decode(text);
  } catch {
    return undefined;
  }
}

function fromLooseBase64(text: string): Uint8Array {
  const [data = ''] = text
    .replaceAll('-', '+')
    .replaceAll('_', '/')
    .replace(/[^A-Za-z0-9+/=]/g, '')
    .split('=', 1);
  return codec.fromBase64(data.length % 4 === 1 ? data.slice(0, -1) : data);
}

function lengthOfBase64(text: string): number {
  const end = text.length - (text.endsWith('=') ? (text.length > 2 && text.at(-2) === '=' ? 2 : 1) : 0);
  return (end * 3) >>> 2;
}

/** Decodes up to the first pair that is not hexadecimal. */
const fromHex = (text: string): Uint8Array =>
  strictly(codec.fromHex, text) ?? codec.fromHex((/^(?:[0-9a-f]{2})*/i.exec(text) ?? [''])[0]);

const fromLatin1 = (text: string): Uint8Array =>
  Uint8Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));

function fromUtf16(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 2);
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    bytes[at * 2] = code;
    bytes[at * 2 + 1] = code >> 8;
  }
  return bytes;
}

const atMost = (bytes: Uint8Array, max: number): number => Math.min(bytes.length, max);
const utf8: Encoding = {
  read: encodeUtf8,
  show: decodeUtf8,
  byteLength: text => encodeUtf8(text).length,
  fit: (bytes, max) => (bytes.length <= max ? bytes.length : wholeUtf8(bytes.subarray(0, max))),
  unit: 1,
};
const utf16: Encoding = {
  read: fromUtf16,
  show: bytes => decodeUtf16(bytes.subarray(0, bytes.length & ~1)),
  byteLength: text => text.length * 2,
  fit: (bytes, max) => atMost(bytes, max) & ~1,
  unit: 2,
};
const latin1: Encoding = {
  read: fromLatin1,
  show: binaryString,
  byteLength: text => text.length,
  fit: atMost,
  unit: 1,
};
const ascii: Encoding = { ...latin1, show: bytes => binaryString(bytes.map(byte => byte & 0x7f)) };
const base64: Encoding = {
  read: fromBase64,
  show: bytes => (bytes as Encoded).toBase64(),
  byteLength: lengthOfBase64,
  fit: atMost,
  unit: 1,
};
const base64url: Encoding = {
  ...base64,
  show: bytes => (bytes as Encoded).toBase64({ alphabet: 'base64url', omitPadding: true }),
};
const hex: Encoding = {
  read: fromHex,
  show: bytes => (bytes as Encoded).toHex(),
  byteLength: text => text.length >>> 1,
  fit: atMost,
  unit: 1,
};

const ENCODINGS = new Map<string, Encoding>(
  Object.entries({
    utf8,
    'utf-8': utf8,
    ucs2: utf16,
    'ucs-2': utf16,
    utf16le: utf16,
    'utf-16le': utf16,
    latin1,
    binary: latin1,
    ascii,
    base64,
    base64url,
    hex,
  }),
);

export const UTF8 = utf8;

export const findEncoding = (name: unknown): Encoding | undefined => ENCODINGS.get(String(name).toLowerCase());

export function encodingOf(name: unknown): Encoding {
  const encoding = findEncoding(name);
  if (encoding === undefined) throw unknownEncoding(name);
  return encoding;
}
