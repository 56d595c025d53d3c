// The part of Node's Buffer that models use to turn bytes into text and back. A Uint8Array in every other respect.
import { binaryString, concatBytes, decodeUtf8, encodeUtf8 } from './text.ts';

type Hex = { fromHex(text: string): Uint8Array; fromBase64(text: string, options?: object): Uint8Array };
type Encoded = { toHex(): string; toBase64(options?: object): string };
const codec = Uint8Array as unknown as Hex;

function fromText(text: string, encoding: string): Uint8Array {
  switch (encoding.toLowerCase()) {
    case 'utf8':
    case 'utf-8':
      return encodeUtf8(text);
    case 'base64':
    case 'base64url': {
      const standard = text
        .replaceAll('-', '+')
        .replaceAll('_', '/')
        .replace(/[^A-Za-z0-9+/]/g, '');
      return codec.fromBase64(standard.length % 4 === 1 ? standard.slice(0, -1) : standard);
    }
    case 'hex':
      return codec.fromHex((/^(?:[0-9a-fA-F]{2})*/.exec(text) ?? [''])[0]);
    case 'latin1':
    case 'binary':
    case 'ascii':
      return Uint8Array.from({ length: text.length }, (_, i) => text.charCodeAt(i) & 0xff);
    default:
      throw new TypeError(`Unknown encoding: ${encoding}. Use utf8, base64, base64url, hex or latin1.`);
  }
}

class GuestBuffer extends Uint8Array<ArrayBuffer> {
  static override from(source: unknown, encodingOrMap?: unknown, second?: unknown): GuestBuffer {
    if (typeof source === 'string') return wrap(fromText(source, String(encodingOrMap ?? 'utf8')));
    if (source instanceof ArrayBuffer)
      return new GuestBuffer(source, Number(encodingOrMap ?? 0), second === undefined ? undefined : Number(second));
    return wrap(Uint8Array.from(source as ArrayLike<number>));
  }
  static alloc(size: number, fill = 0): GuestBuffer {
    return wrap(new Uint8Array(size).fill(fill));
  }
  static concat(parts: readonly Uint8Array[]): GuestBuffer {
    return wrap(concatBytes(parts));
  }
  static byteLength(source: string | Uint8Array, encoding = 'utf8'): number {
    return typeof source === 'string' ? fromText(source, encoding).length : source.byteLength;
  }
  static isBuffer(value: unknown): boolean {
    return value instanceof GuestBuffer;
  }
  static isEncoding(encoding: string): boolean {
    return /^(utf-?8|base64(url)?|hex|latin1|binary|ascii)$/i.test(encoding);
  }
  override toString(encoding = 'utf8', start = 0, end = this.length): string {
    const bytes = new Uint8Array(this.buffer, this.byteOffset, this.length).subarray(start, end);
    switch (encoding.toLowerCase()) {
      case 'base64':
        return (bytes as unknown as Encoded).toBase64();
      case 'base64url':
        return (bytes as unknown as Encoded).toBase64({ alphabet: 'base64url', omitPadding: true });
      case 'hex':
        return (bytes as unknown as Encoded).toHex();
      case 'latin1':
      case 'binary':
      case 'ascii':
        return binaryString(bytes);
      default:
        return decodeUtf8(bytes);
    }
  }
  toJSON(): { type: 'Buffer'; data: number[] } {
    return { type: 'Buffer', data: Array.from(this) };
  }
  equals(other: Uint8Array): boolean {
    return this.length === other.length && this.every((byte, i) => byte === other[i]);
  }
}

function wrap(bytes: Uint8Array): GuestBuffer {
  return new GuestBuffer(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
}

export const bufferGlobals = { Buffer: GuestBuffer };
