// The methods of Buffer instances, except those for numbers (numbers.ts).
import {
  checkBytes,
  checkInteger,
  checkNumber,
  MAX_LENGTH,
  nodeError,
  outOfRange,
  unknownEncoding,
  wrongType,
} from './checks.ts';
import { type Encoding, encodingOf, findEncoding, UTF8 } from './encodings.ts';
import { findBytes } from './search.ts';

/** The class of Buffer instances. Buffer itself is a function, because it can be called without `new`. */
export class Bytes extends Uint8Array {
  get parent(): ArrayBuffer | undefined {
    return this instanceof Bytes ? this.buffer : undefined;
  }
  get offset(): number | undefined {
    return this instanceof Bytes ? this.byteOffset : undefined;
  }

  override toString(encoding?: unknown, start?: unknown, end?: unknown): string {
    const from = start === undefined ? 0 : clamp(toInt32(start), this.length, start);
    const to = end === undefined ? this.length : clamp(toInt32(end), this.length, end);
    if (to <= from) return '';
    const { show } = encoding === undefined ? UTF8 : encodingOf(encoding);
    return show(plainView(this, from, to));
  }
  override toLocaleString(encoding?: unknown, start?: unknown, end?: unknown): string {
    return this.toString(encoding, start, end);
  }
  toJSON(): { type: 'Buffer'; data: number[] } {
    return { type: 'Buffer', data: Array.from(this) };
  }
  inspect(): string {
    const shown = Array.from(this.subarray(0, 50), byte => byte.toString(16).padStart(2, '0'));
    const rest = this.length - 50;
    if (rest > 0) shown.push(`... ${rest} more byte${rest > 1 ? 's' : ''}`);
    return `<Buffer ${shown.join(' ')}>`;
  }

  equals(other: unknown): boolean {
    return compareBytes(this, checkBytes(other, 'otherBuffer')) === 0;
  }
  compare(target: unknown, ...ends: unknown[]): number {
    const bytes = checkBytes(target, 'target');
    const targetStart = integerOr(0, ends[0], 'targetStart', MAX_LENGTH);
    const targetEnd = integerOr(bytes.length, ends[1], 'targetEnd', bytes.length);
    const sourceStart = integerOr(0, ends[2], 'sourceStart', MAX_LENGTH);
    const sourceEnd = integerOr(this.length, ends[3], 'sourceEnd', this.length);
    return compareBytes(
      plainView(this, sourceStart, Math.max(sourceStart, sourceEnd)),
      plainView(bytes, targetStart, Math.max(targetStart, targetEnd)),
    );
  }
  override indexOf(value: unknown, from?: unknown, encoding?: unknown): number {
    return find(this, value, from, encoding, true);
  }
  override lastIndexOf(value: unknown, from?: unknown, encoding?: unknown): number {
    return find(this, value, from, encoding, false);
  }
  override includes(value: unknown, from?: unknown, encoding?: unknown): boolean {
    return this.indexOf(value, from, encoding) !== -1;
  }

  copy(target: unknown, ...ends: unknown[]): number {
    const into = checkBytes(target, 'target');
    const at = safeInteger(ends[0], 0);
    if (at < 0) throw outOfRange('targetStart', '>= 0', at);
    const from = safeInteger(ends[1], 0);
    if (from < 0 || from > this.length) throw outOfRange('sourceStart', `>= 0 && <= ${this.length}`, from);
    const to = safeInteger(ends[2], this.length);
    if (to < 0) throw outOfRange('sourceEnd', '>= 0', to);
    const size = Math.min(to, this.length, from + into.length - at) - from;
    if (size <= 0) return 0;
    into.set(plainView(this, from, from + size), at);
    return size;
  }
  override slice(start?: unknown, end?: unknown): Bytes {
    return this.subarray(start, end);
  }
  override subarray(start?: unknown, end?: unknown): Bytes {
    const from = place(start, this.length);
    const to = end === undefined ? this.length : place(end, this.length);
    return new Bytes(this.buffer, this.byteOffset + from, Math.max(to - from, 0));
  }

  write(text: unknown, offset?: unknown, length?: unknown, encoding?: unknown): number {
    if (offset === undefined) return writeText(this, text, 0, this.length, UTF8);
    if (length === undefined && typeof offset === 'string')
      return writeText(this, text, 0, this.length, offset === '' ? UTF8 : encodingOf(offset));
    const at = checkInteger(offset, 'offset', 0, this.length);
    const room = this.length - at;
    const named = typeof length === 'string' ? length : encoding;
    const size =
      length === undefined || typeof length === 'string'
        ? room
        : Math.min(checkInteger(length, 'length', 0, this.length), room);
    return writeText(this, text, at, size, named ? encodingOf(named) : UTF8);
  }
  override fill(value: unknown, offset?: unknown, end?: unknown, encoding?: unknown): this {
    if (typeof value !== 'string') return fillRange(this, value, offset, end);
    if (offset === undefined || typeof offset === 'string') return fillRange(this, textToFill(value, offset));
    if (typeof end === 'string') return fillRange(this, textToFill(value, end), offset);
    return fillRange(this, textToFill(value, encoding), offset, end);
  }

  swap16(): this {
    return swap(this, 2);
  }
  swap32(): this {
    return swap(this, 4);
  }
  swap64(): this {
    return swap(this, 8);
  }
}

const toInt32 = (value: unknown): number => (value as number) | 0;

/** Limits an offset to 0 … length. `whole` has only 32 bits, so the bounds are checked on the number as given. */
function clamp(whole: number, length: number, given: unknown): number {
  const number = given as number;
  return number <= 0 ? 0 : number >= length ? length : Math.max(whole, 0);
}

/** A view as a plain Uint8Array, whose methods are the engine's own. */
export const plainView = (bytes: Uint8Array, from: number, to: number): Uint8Array<ArrayBuffer> => {
  const start = Math.min(from, bytes.length);
  const end = Math.min(Math.max(to, start), bytes.length);
  return new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset + start, end - start);
};

const integerOr = (fallback: number, value: unknown, name: string, max: number): number =>
  value === undefined ? fallback : checkInteger(value, name, 0, max);

function safeInteger(value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  const number = +(value as number);
  return Number.isNaN(number) || Math.abs(number) > Number.MAX_SAFE_INTEGER ? 0 : Math.floor(number);
}

/** An index for slice: a negative one counts from the end. */
function place(value: unknown, length: number): number {
  const at = Math.trunc(value as number) || 0;
  return at < 0 ? Math.max(at + length, 0) : Math.min(at, length);
}

export function compareBytes(one: Uint8Array, other: Uint8Array): number {
  const shared = Math.min(one.length, other.length);
  for (let at = 0; at < shared; at++) {
    const difference = (one[at] as number) - (other[at] as number);
    if (difference !== 0) return difference < 0 ? -1 : 1;
  }
  return Math.sign(one.length - other.length);
}

function find(bytes: Bytes, value: unknown, from: unknown, named: unknown, isForward: boolean): number {
  const [start, name] = typeof from === 'string' ? [undefined, from] : [from, named];
  const where = plainView(bytes, 0, bytes.length);
  if (typeof value === 'number') return findBytes(where, Uint8Array.of(value), start, isForward, 1);
  const encoding = name === undefined ? UTF8 : findEncoding(name);
  if (typeof value === 'string') {
    if (encoding === undefined) throw unknownEncoding(name);
    return findBytes(where, encoding.read(value), start, isForward, encoding.unit);
  }
  if (value instanceof Uint8Array)
    return findBytes(where, plainView(value, 0, value.length), start, isForward, encoding?.unit ?? 1);
  throw wrongType('"value" argument', 'one of type number or string or an instance of Buffer or Uint8Array', value);
}

function writeText(bytes: Bytes, text: unknown, at: number, room: number, encoding: Encoding): number {
  if (typeof text !== 'string') throw nodeError(TypeError, 'ERR_INVALID_ARG_TYPE', 'argument must be a string');
  const all = encoding.read(text);
  const size = encoding.fit(all, room);
  bytes.set(plainView(all, 0, size), at);
  return size;
}

function textToFill(text: string, named: unknown): Uint8Array | 0 {
  const encoding = named === undefined || named === null || named === '' ? UTF8 : findEncoding(named);
  if (typeof named !== 'string' && encoding !== UTF8) throw wrongType('"encoding" argument', 'of type string', named);
  if (encoding === undefined) throw unknownEncoding(named);
  if (text === '') return 0;
  const bytes = encoding.read(text);
  if (bytes.length > 0) return bytes;
  throw noBytes(`'${text}'`);
}

const noBytes = (shown: string): Error =>
  nodeError(TypeError, 'ERR_INVALID_ARG_VALUE', `The argument 'value' is invalid. Received ${shown}`);

function fillRange<Target extends Bytes>(bytes: Target, value: unknown, offset?: unknown, end?: unknown): Target {
  const from = offset === undefined ? 0 : checkNumber(offset, 'offset', 0);
  const to = offset === undefined || end === undefined ? bytes.length : checkNumber(end, 'end', 0, bytes.length);
  if (from >= to) return bytes;
  const room = plainView(bytes, Math.trunc(from), Math.trunc(to));
  if (!ArrayBuffer.isView(value)) room.fill(+(value as number));
  else {
    const pattern = new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
    if (pattern.length === 0) throw noBytes(Object.prototype.toString.call(value));
    for (let at = 0; at < room.length; at++) room[at] = pattern[at % pattern.length] as number;
  }
  return bytes;
}

function swap<Target extends Bytes>(bytes: Target, size: number): Target {
  if (bytes.length % size !== 0)
    throw nodeError(RangeError, 'ERR_INVALID_BUFFER_SIZE', `Buffer size must be a multiple of ${size * 8}-bits`);
  for (let at = 0; at < bytes.length; at += size) plainView(bytes, at, at + size).reverse();
  return bytes;
}
