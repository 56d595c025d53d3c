// Node's Buffer, as far as scripts use it.
import { fromBase64, fromLatin1, latin1, toBase64 } from './host.ts';
import { decodeUtf8, encodeUtf8 } from './text.ts';

export class Buffer extends Uint8Array {
  static override from(source: unknown, encoding?: unknown): Buffer {
    if (typeof source === 'string') return wrap(encodeText(source, typeof encoding === 'string' ? encoding : 'utf8'));
    if (source instanceof ArrayBuffer) return wrap(new Uint8Array(source));
    return wrap(Uint8Array.from(source as ArrayLike<number>));
  }
  static alloc(size: number, fill: number | string = 0): Buffer {
    const buffer = new Buffer(size);
    if (typeof fill === 'number') return buffer.fill(fill);
    const pattern = encodeUtf8(fill);
    return buffer.map((_, at) => pattern[at % pattern.length] ?? 0) as Buffer;
  }
  static allocUnsafe(size: number): Buffer {
    return new Buffer(size);
  }
  static isBuffer(value: unknown): value is Buffer {
    return value instanceof Buffer;
  }
  static byteLength(text: string, encoding = 'utf8'): number {
    return encodeText(text, encoding).length;
  }
  static concat(parts: readonly Uint8Array[]): Buffer {
    const whole = new Buffer(parts.reduce((size, part) => size + part.length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }
  override toString(encoding = 'utf8', start = 0, end = this.length): string {
    const part = this.subarray(start, end);
    switch (encoding.toLowerCase()) {
      case 'base64':
        return toBase64(part);
      case 'base64url':
        return toBase64(part).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
      case 'hex':
        return Array.from(part, byte => byte.toString(16).padStart(2, '0')).join('');
      case 'latin1':
      case 'binary':
      case 'ascii':
        return latin1(part);
      default:
        return decodeUtf8(part);
    }
  }
  override slice(start?: number, end?: number): Buffer {
    return wrap(this.subarray(start, end));
  }
  equals(other: Uint8Array): boolean {
    return this.length === other.length && this.every((byte, at) => byte === other[at]);
  }
  toJSON(): object {
    return { type: 'Buffer', data: Array.from(this) };
  }
  readUInt8(at = 0): number {
    return this[at] ?? 0;
  }
  readUInt32BE(at = 0): number {
    return new DataView(this.buffer, this.byteOffset).getUint32(at);
  }
  readUInt32LE(at = 0): number {
    return new DataView(this.buffer, this.byteOffset).getUint32(at, true);
  }
  writeUInt8(value: number, at = 0): number {
    this[at] = value;
    return at + 1;
  }
  writeUInt32BE(value: number, at = 0): number {
    new DataView(this.buffer, this.byteOffset).setUint32(at, value);
    return at + 4;
  }
  writeUInt32LE(value: number, at = 0): number {
    new DataView(this.buffer, this.byteOffset).setUint32(at, value, true);
    return at + 4;
  }
}

function wrap(bytes: Uint8Array): Buffer {
  return new Buffer(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
}

export function toBuffer(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer ? bytes : wrap(bytes);
}

function encodeText(text: string, encoding: string): Uint8Array {
  switch (encoding.toLowerCase()) {
    case 'base64':
    case 'base64url':
      return fromBase64(text);
    case 'hex':
      return Uint8Array.from(text.match(/[\da-f]{2}/gi) ?? [], pair => Number.parseInt(pair, 16));
    case 'latin1':
    case 'binary':
    case 'ascii':
      return fromLatin1(text);
    default:
      return encodeUtf8(text);
  }
}
