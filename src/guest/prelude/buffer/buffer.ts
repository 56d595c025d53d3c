// Node's Buffer, with the same results and the same errors.
import { Bytes, compareBytes, plainView } from './bytes.ts';
import { checkArray, checkBytes, checkInteger, checkNumber, MAX_LENGTH, outOfBounds, wrongType } from './checks.ts';
import { encodingOf, findEncoding, UTF8 } from './encodings.ts';
import { numberMethods } from './numbers.ts';

const A_SOURCE = 'of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object';

function Buffer(source: unknown, encoding?: unknown, length?: unknown): Bytes {
  if (typeof source !== 'number') return from(source, encoding, length);
  if (typeof encoding === 'string') throw wrongType('"string" argument', 'of type string', source);
  return alloc(source);
}

function from(source: unknown, encodingOrOffset?: unknown, length?: unknown): Bytes {
  if (typeof source === 'string') return fromText(source, encodingOrOffset);
  if (typeof source === 'object' && source !== null) {
    if (source instanceof ArrayBuffer) return viewOf(source, encodingOrOffset, length);
    const value: unknown = source.valueOf?.();
    if (value !== source && (typeof value === 'string' || (typeof value === 'object' && value !== null)))
      return from(value, encodingOrOffset, length);
    const bytes = fromObject(source);
    if (bytes !== undefined) return bytes;
    const text = (source as Partial<Date>)[Symbol.toPrimitive]?.('string');
    if (typeof text === 'string') return fromText(text, encodingOrOffset);
  }
  throw wrongType('first argument', A_SOURCE, source);
}

function fromText(text: string, named: unknown): Bytes {
  const { read } = typeof named !== 'string' || named === '' ? UTF8 : encodingOf(named);
  const bytes = read(text);
  return new Bytes(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
}

/** A Buffer that shares the memory of `buffer`. */
function viewOf(buffer: ArrayBuffer, offset: unknown, length: unknown): Bytes {
  const at = offset === undefined ? 0 : +(offset as number) || 0;
  const room = buffer.byteLength - at;
  if (room < 0) throw outOfBounds('offset');
  const size = length === undefined ? room : +(length as number);
  if (size > room) throw outOfBounds('length');
  return new Bytes(buffer, at, Math.max(size || 0, 0));
}

function fromObject(source: object): Bytes | undefined {
  const { length, buffer, type, data } = source as Record<string, unknown>;
  if (length !== undefined || buffer instanceof ArrayBuffer)
    return typeof length === 'number' ? fromList(source as ArrayLike<number>) : new Bytes();
  return type === 'Buffer' && Array.isArray(data) ? fromList(data) : undefined;
}

function fromList(list: ArrayLike<number>): Bytes {
  const bytes = new Bytes(Math.max(list.length || 0, 0));
  if (bytes.length > 0) bytes.set(list);
  return bytes;
}

function alloc(size: unknown, fill?: unknown, encoding?: unknown): Bytes {
  const bytes = new Bytes(checkNumber(size, 'size', 0, MAX_LENGTH));
  if (fill === undefined || fill === 0 || bytes.length === 0) return bytes;
  return typeof fill === 'string' ? bytes.fill(fill, 0, bytes.length, encoding) : bytes.fill(fill);
}

function copyBytesFrom(view: unknown, offset?: unknown, length?: unknown): Bytes {
  if (!ArrayBuffer.isView(view) || view instanceof DataView)
    throw wrongType('"view" argument', 'an instance of TypedArray', view);
  const items = view as Uint8Array;
  if (items.length === 0) return new Bytes();
  const start = offset === undefined ? 0 : checkInteger(offset, 'offset', 0, Number.MAX_SAFE_INTEGER);
  if (start >= items.length) return new Bytes();
  const end = length === undefined ? undefined : start + checkInteger(length, 'length', 0, Number.MAX_SAFE_INTEGER);
  const { buffer, byteOffset, byteLength } = items.subarray(start, end);
  return fromList(new Uint8Array(buffer, byteOffset, byteLength));
}

function concat(list: unknown, length?: unknown): Bytes {
  const parts = checkArray(list, 'list');
  if (parts.length === 0) return new Bytes();
  const total =
    length === undefined
      ? parts.reduce<number>((sum, part) => sum + ((part as Uint8Array).length || 0), 0)
      : checkInteger(length, 'length');
  const whole = new Bytes(total);
  let at = 0;
  parts.forEach((part, index) => {
    const bytes = checkBytes(part, `list[${index}]`);
    const size = Math.min(bytes.length, whole.length - at);
    whole.set(plainView(bytes, 0, size), at);
    at += size;
  });
  return whole;
}

function byteLength(value: unknown, encoding?: unknown): number {
  if (typeof value === 'string') return ((encoding ? findEncoding(encoding) : undefined) ?? UTF8).byteLength(value);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength;
  throw wrongType('"string" argument', 'of type string or an instance of Buffer or ArrayBuffer', value);
}

const statics = {
  from,
  copyBytesFrom,
  of: (...items: number[]) => fromList(items),
  alloc,
  allocUnsafe: (size: unknown) => alloc(size),
  allocUnsafeSlow: (size: unknown) => alloc(size),
  isBuffer: (value: unknown) => value instanceof Bytes,
  compare: (one: unknown, other: unknown) => compareBytes(checkBytes(one, 'buf1'), checkBytes(other, 'buf2')),
  isEncoding: (name: unknown) => typeof name === 'string' && findEncoding(name) !== undefined,
  concat,
  byteLength,
};

function define(owner: object, name: string, value: unknown): void {
  Object.defineProperty(owner, name, { value, writable: true, configurable: true, enumerable: false });
}

for (const [name, method] of Object.entries(statics)) define(Buffer, name, method);
for (const [name, method] of numberMethods()) define(Bytes.prototype, name, method);
define(Buffer, 'poolSize', 8192);
Object.defineProperty(Bytes.prototype, Symbol.for('nodejs.util.inspect.custom'), { value: Bytes.prototype.inspect });
// The bundler may have renamed the function.
Object.defineProperty(Buffer, 'name', { value: 'Buffer', configurable: true });
define(Bytes.prototype, 'constructor', Buffer);
Object.defineProperty(Buffer, 'prototype', { value: Bytes.prototype, writable: true });
Object.defineProperty(Buffer, Symbol.species, { get: () => Bytes, configurable: true });
Object.setPrototypeOf(Buffer, Uint8Array);

export const bufferGlobals = { Buffer };
