// Node's checks of arguments, with the classes, codes and messages of its errors.
export const MAX_LENGTH = 2 ** 32;

type ErrorClass = new (message: string) => Error;

export function nodeError(Class: ErrorClass, code: string, message: string): Error {
  return Object.assign(new Class(message), { code });
}

function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'bigint') return `${value}n`;
  return Object.is(value, -0) ? '-0' : String(value);
}

function received(value: unknown): string {
  if (value === undefined || value === null) return `Received ${value}`;
  if (typeof value === 'function') return `Received function ${value.name}`;
  if (typeof value === 'object') return `Received an instance of ${value.constructor?.name || 'Object'}`;
  const text = shown(value);
  return `Received type ${typeof value} (${text.length > 28 ? `${text.slice(0, 25)}...` : text})`;
}

export const wrongType = (name: string, expected: string, value: unknown): Error =>
  nodeError(TypeError, 'ERR_INVALID_ARG_TYPE', `The ${name} must be ${expected}. ${received(value)}`);

const wrongArgument = (name: string, expected: string, value: unknown): Error =>
  wrongType(`"${name}" argument`, expected, value);

export function outOfRange(name: string, range: string, value: unknown): Error {
  const isLarge =
    typeof value === 'bigint'
      ? value > 2n ** 32n || value < -(2n ** 32n)
      : Number.isInteger(value) && Math.abs(Number(value)) > 2 ** 32;
  const text = isLarge ? shown(value).replace(/\B(?=(?:\d{3})+n?$)/g, '_') : shown(value);
  return nodeError(
    RangeError,
    'ERR_OUT_OF_RANGE',
    `The value of "${name}" is out of range. It must be ${range}. Received ${text}`,
  );
}

export const outOfBounds = (name?: string): Error =>
  nodeError(
    RangeError,
    'ERR_BUFFER_OUT_OF_BOUNDS',
    name === undefined ? 'Attempt to access memory outside buffer bounds' : `"${name}" is outside of buffer bounds`,
  );

export const unknownEncoding = (encoding: unknown): Error =>
  nodeError(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${String(encoding)}`);

const rangeText = (min: number, max: number): string =>
  max === Number.POSITIVE_INFINITY ? `>= ${min}` : `>= ${min} && <= ${max}`;

export function checkType(value: unknown, name: string): asserts value is number {
  if (typeof value !== 'number') throw wrongArgument(name, 'of type number', value);
}

export function checkNumber(value: unknown, name: string, min: number, max = Number.POSITIVE_INFINITY): number {
  checkType(value, name);
  if (!(value >= min && value <= max)) throw outOfRange(name, rangeText(min, max), value);
  return value;
}

/** Infinity counts as whole: it is refused later because of its size. */
export const isWhole = (value: number): boolean => Math.floor(value) === value;

export function checkInteger(value: unknown, name: string, min = 0, max = MAX_LENGTH): number {
  checkType(value, name);
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
  return checkNumber(value, name, min, max);
}

export function checkBytes(value: unknown, name: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw wrongArgument(name, 'an instance of Buffer or Uint8Array', value);
}

export function checkArray(value: unknown, name: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw wrongArgument(name, 'an instance of Array', value);
}

/** Checks that a number of `size` bytes fits at `offset`. */
export function checkOffset(length: number, offset: unknown, size: number): number {
  checkType(offset, 'offset');
  if (!isWhole(offset)) throw outOfRange('offset', 'an integer', offset);
  if (length < size) throw outOfBounds();
  if (offset < 0 || offset > length - size) throw outOfRange('offset', `>= 0 and <= ${length - size}`, offset);
  return offset;
}
