// Buffer: the implementation browsers' bundles use (feross/buffer), with what it lacks of Node's (base64url) and the
// engine's own code where its loops would be slow. What neither has, is not there.
import { Buffer } from 'buffer/';
import { binaryString, decodeUtf8, encodeUtf8 } from './text.ts';

type Codec = { fromHex(text: string): Uint8Array; fromBase64(text: string): Uint8Array };
type Encoded = Uint8Array & { toHex(): string; toBase64(options?: object): string };
type Method = (this: unknown, ...args: unknown[]) => unknown;
const codec = Uint8Array as unknown as Codec;

const BASE64URL = /^base64url$/i;

/** base64 is read in both alphabets, so that is all base64url needs where text comes in. */
const plainEncoding = (argument: unknown): unknown =>
  typeof argument === 'string' && BASE64URL.test(argument) ? 'base64' : argument;

/** `from`: the first argument that may be an encoding. */
function readBase64url(owner: object, names: readonly string[], from: number): void {
  for (const name of names) {
    const plain = (owner as Record<string, Method>)[name] as Method;
    const { length } = plain;
    const method = function (this: unknown, ...args: unknown[]): unknown {
      return plain.apply(
        this,
        args.map((argument, at) => (at >= from ? plainEncoding(argument) : argument)),
      );
    };
    define(owner, name, Object.defineProperty(method, 'length', { value: length, configurable: true }));
  }
}

function define(owner: object, name: string, value: unknown): void {
  if (typeof value === 'function') Object.defineProperty(value, 'name', { value: name, configurable: true });
  Object.defineProperty(owner, name, { value, writable: true, configurable: true, enumerable: false });
}

/** As Node reads it: what is no base64 is passed over, and all behind a `=`. */
function fromBase64(text: string): Uint8Array {
  const [data = ''] = text
    .replaceAll('-', '+')
    .replaceAll('_', '/')
    .replace(/[^A-Za-z0-9+/=]/g, '')
    .split('=', 1);
  return codec.fromBase64(data.length % 4 === 1 ? data.slice(0, -1) : data);
}

/** Up to the first pair that is none. */
const hexIn = (text: string): string => (/^(?:[0-9a-f]{2})*/i.exec(text) ?? [''])[0];
const fromHex = (text: string): Uint8Array => codec.fromHex(hexIn(text));

const READERS: Readonly<Record<string, (text: string) => Uint8Array>> = {
  utf8: encodeUtf8,
  'utf-8': encodeUtf8,
  base64: fromBase64,
  base64url: fromBase64,
  hex: fromHex,
};

const WRITERS: Readonly<Record<string, (bytes: Encoded) => string>> = {
  utf8: decodeUtf8,
  'utf-8': decodeUtf8,
  base64: bytes => bytes.toBase64(),
  base64url: bytes => bytes.toBase64({ alphabet: 'base64url', omitPadding: true }),
  hex: bytes => bytes.toHex(),
  latin1: binaryString,
  binary: binaryString,
};

function lookup<Value>(table: Readonly<Record<string, Value>>, encoding: unknown): Value | undefined {
  const name = encoding === undefined || encoding === null || encoding === '' ? 'utf8' : encoding;
  const lower = typeof name === 'string' ? name.toLowerCase() : '';
  return Object.hasOwn(table, lower) ? table[lower] : undefined;
}

/** Node counts neither of them from the end. */
function bounds(length: number, start: unknown, end: unknown): [number, number] {
  const from = Math.min(Math.max(Math.trunc(Number(start)) || 0, 0), length);
  const to = end === undefined ? length : Math.min(Math.max(Math.trunc(Number(end)) || 0, 0), length);
  return [from, Math.max(from, to)];
}

readBase64url(Buffer, ['alloc'], 2);
readBase64url(Buffer.prototype, ['write', 'indexOf', 'lastIndexOf'], 1);

const { from, isEncoding } = Buffer as unknown as { from: Method; isEncoding(name: string): boolean };
define(Buffer, 'from', (value: unknown, encoding?: unknown, length?: unknown): Buffer => {
  const read = typeof value === 'string' ? lookup(READERS, encoding) : undefined;
  if (read === undefined) return from.call(Buffer, value, encoding, length) as Buffer;
  const bytes = read(value as string);
  return from.call(Buffer, bytes.buffer, bytes.byteOffset, bytes.length) as Buffer;
});
define(Buffer, 'isEncoding', (encoding: unknown) => isEncoding(plainEncoding(encoding) as string));

const { toString: plainText } = Buffer.prototype;
define(
  Buffer.prototype,
  'toString',
  function (this: Buffer, encoding?: unknown, start?: unknown, end?: unknown): string {
    const show = lookup(WRITERS, encoding);
    if (show === undefined) return plainText.call(this, encoding as string, start as number, end as number);
    const [first, last] = bounds(this.length, start, end);
    return show(new Uint8Array(this.buffer, this.byteOffset + first, last - first) as Encoded);
  },
);

const { write } = Buffer.prototype as unknown as { write: Method };
define(Buffer.prototype, 'write', function (this: Buffer, text: unknown, ...rest: unknown[]): unknown {
  const isHex = typeof text === 'string' && rest.some(each => typeof each === 'string' && /^hex$/i.test(each));
  return write.call(this, isHex ? hexIn(text) : text, ...rest);
});

const outOfRange = (name: string, value: unknown): RangeError =>
  new RangeError(`The value of "${name}" is out of range. Received ${String(value)}`);

/** The bundled one goes on without end where `end` is negative. */
define(
  Buffer.prototype,
  'fill',
  function (this: Buffer, value: unknown, offset?: unknown, end?: unknown, encoding?: unknown): Buffer {
    const isText = typeof value === 'string';
    const named = [offset, end, encoding].find(each => typeof each === 'string');
    const [from, to] =
      isText && typeof offset === 'string'
        ? [0, this.length]
        : fillRange(this.length, offset, isText && typeof end === 'string' ? undefined : end);
    const bytes = isText ? Buffer.from(value, named as 'utf8') : value;
    if (!(bytes instanceof Uint8Array)) {
      Uint8Array.prototype.fill.call(this, Number(value) & 255, from, to);
      return this;
    }
    if (bytes.length === 0) {
      if (value !== '') throw new TypeError(`The argument 'value' is invalid: it holds no bytes`);
      Uint8Array.prototype.fill.call(this, 0, from, to);
    } else for (let at = from; at < to; at++) this[at] = bytes[(at - from) % bytes.length] as number;
    return this;
  },
);

function fillRange(length: number, offset: unknown, end: unknown): [from: number, to: number] {
  if (offset === undefined) return [0, length];
  const from = Number(offset);
  const to = end === undefined ? length : Number(end);
  if (!(from >= 0)) throw outOfRange('offset', offset);
  if (!(to >= 0 && to <= length)) throw outOfRange('end', end);
  return [Math.trunc(from), Math.trunc(to)];
}

const { copy } = Buffer.prototype as unknown as { copy: Method };
define(Buffer.prototype, 'copy', function (this: Buffer, ...args: unknown[]): unknown {
  const start = Number(args[2] ?? 0);
  if (start < 0 || start > this.length) throw outOfRange('sourceStart', args[2]);
  return copy.apply(this, args);
});

// The bundled ones find nothing where nothing is looked for.
for (const [name, fallback] of [
  ['indexOf', 0],
  ['lastIndexOf', Number.POSITIVE_INFINITY],
] as const) {
  const plain = Buffer.prototype[name] as unknown as Method;
  define(Buffer.prototype, name, function (this: Buffer, value: unknown, from?: unknown, ...rest: unknown[]): unknown {
    const isEmpty = value === '' || (value instanceof Uint8Array && value.length === 0);
    if (!isEmpty) return plain.call(this, value, from, ...rest);
    const at = Number.isNaN(Number(from)) ? fallback : Number(from);
    return Math.min(Math.max(Math.trunc(at < 0 ? this.length + at : at), 0), this.length);
  });
}
define(Buffer.prototype, 'includes', function (this: Buffer, ...args: Parameters<Buffer['indexOf']>): boolean {
  return this.indexOf(...args) !== -1;
});

const { byteLength } = Buffer;
define(Buffer, 'byteLength', (value: unknown, encoding?: unknown): number => {
  if (typeof value !== 'string' || plainEncoding(String(encoding).toLowerCase()) !== 'base64')
    return byteLength(value as string, encoding as 'utf8');
  const end = value.length - (value.endsWith('==') ? 2 : value.endsWith('=') ? 1 : 0);
  return (end * 3) >>> 2;
});

export const bufferGlobals = { Buffer };
