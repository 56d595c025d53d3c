// Encodes and decodes UTF-8 and UTF-16. No rule depends on this code, so it uses built-ins that agents can patch.
const CHUNK = 8_192;
const REPLACEMENT = 0xfffd;

export function encodeUtf8(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 3);
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i);
    if (code < 0x80) {
      bytes[at++] = code;
      continue;
    }
    if (code >= 0xd800 && code < 0xe000) {
      const low = code < 0xdc00 ? text.charCodeAt(i + 1) : Number.NaN;
      if (low >= 0xdc00 && low < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        i++;
      } else code = REPLACEMENT;
    }
    if (code < 0x800) bytes[at++] = 0xc0 | (code >> 6);
    else {
      if (code < 0x10000) bytes[at++] = 0xe0 | (code >> 12);
      else {
        bytes[at++] = 0xf0 | (code >> 18);
        bytes[at++] = 0x80 | ((code >> 12) & 0x3f);
      }
      bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
    }
    bytes[at++] = 0x80 | (code & 0x3f);
  }
  return bytes.slice(0, at);
}

/** Decodes Latin-1: one character per byte. */
export function binaryString(bytes: Uint8Array): string {
  let out = '';
  for (let i = 0; i < bytes.length; i += CHUNK)
    out += String.fromCharCode.apply(null, Array.from(bytes.subarray(i, i + CHUNK)));
  return out;
}

/** Decodes UTF-16LE. */
export function decodeUtf16(bytes: Uint8Array): string {
  let out = '';
  for (let i = 0; i < bytes.length; i += CHUNK * 2) {
    const units: number[] = [];
    for (let k = i; k < Math.min(i + CHUNK * 2, bytes.length); k += 2)
      units.push((bytes[k] as number) | ((bytes[k + 1] ?? 0) << 8));
    out += String.fromCharCode.apply(null, units);
  }
  return out;
}

/** Malformed sequences become U+FFFD, or throw a TypeError if `fatal`. */
export function decodeUtf8(bytes: Uint8Array, fatal = false): string {
  const binary = binaryString(bytes);
  try {
    return decodeURIComponent(escape(binary)); // fast, because both are native, and exact for well-formed UTF-8
  } catch {
    if (fatal) throw invalidData('utf-8');
    return decodeLossy(bytes);
  }
}

export const invalidData = (encoding: string): Error =>
  Object.assign(new TypeError(`The encoded data was not valid for encoding ${encoding}`), {
    code: 'ERR_ENCODING_INVALID_ENCODED_DATA',
  });

function decodeLossy(bytes: Uint8Array): string {
  let out = '';
  let i = 0;
  while (i < bytes.length) {
    const [code, size] = readCodePoint(bytes, i);
    out += String.fromCodePoint(code);
    i += size;
  }
  return out;
}

/** The length in bytes of the character that begins with this byte; 0 if none can. */
const sizeOf = (first: number): number => (first < 0xc2 || first > 0xf4 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4);

function readCodePoint(bytes: Uint8Array, at: number): [code: number, size: number] {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return [first, 1];
  const size = sizeOf(first);
  if (size === 0) return [REPLACEMENT, 1];
  let code = first & (0xff >> (size + 1));
  for (let k = 1; k < size; k++) {
    const byte = bytes[at + k] ?? 0;
    const low = k > 1 ? 0x80 : first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
    const high = k > 1 ? 0xbf : first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
    if (byte < low || byte > high) return [REPLACEMENT, k];
    code = (code << 6) | (byte & 0x3f);
  }
  return [code, size];
}

export function toBytes(source: unknown): Uint8Array {
  if (source instanceof Uint8Array) return source;
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  throw new TypeError('Expected an ArrayBuffer or a typed array');
}

/** The offset at which the last complete character ends. */
export function wholeUtf8(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const [code, size] = readCodePoint(bytes, bytes.length - back);
    // A character that is cut off is malformed from its first missing byte on.
    const isCut = code === REPLACEMENT && size === back && back < sizeOf(byte);
    return isCut ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
