// The methods of Buffer that read and write numbers. Each checks the offset and the value, then uses a DataView.
import { checkOffset, checkType, isWhole, outOfRange } from './checks.ts';

type Numeric = number | bigint;
type Method = (this: Uint8Array, ...args: unknown[]) => unknown;
type Kind = {
  readonly name: string;
  readonly view: string;
  readonly size: number;
  readonly min: Numeric;
  readonly max: Numeric;
};

const integer = (name: string, size: number, isSigned: boolean): Kind => ({
  name,
  view: name.replace('UI', 'Ui'),
  size,
  ...limits(size, isSigned),
});

const limits = (size: number, isSigned: boolean): { min: number; max: number } => ({
  min: isSigned ? -(2 ** (size * 8 - 1)) : 0,
  max: 2 ** (size * 8 - (isSigned ? 1 : 0)) - 1,
});

const INTEGERS: readonly Kind[] = [1, 2, 4].flatMap(size => [
  integer(`UInt${size * 8}`, size, false),
  integer(`Int${size * 8}`, size, true),
]);
const BIG: readonly Kind[] = [
  { name: 'BigInt64', view: 'BigInt64', size: 8, min: -(2n ** 63n), max: 2n ** 63n - 1n },
  { name: 'BigUInt64', view: 'BigUint64', size: 8, min: 0n, max: 2n ** 64n - 1n },
];
const FLOATS: readonly Kind[] = [
  { name: 'Float', view: 'Float32', size: 4, min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY },
  { name: 'Double', view: 'Float64', size: 8, min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY },
];

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function checkValue(value: Numeric, size: number, min: Numeric, max: Numeric): void {
  if (!(value > max || value < min)) return;
  const n = typeof min === 'bigint' ? 'n' : '';
  const power = (bits: number): string => `2${n} ** ${bits}${n}`;
  if (size <= 4) throw outOfRange('value', `>= ${min} and <= ${max}`, value);
  if (Number(min) === 0) throw outOfRange('value', `>= 0${n} and < ${power(size * 8)}`, value);
  throw outOfRange('value', `>= -(${power(size * 8 - 1)}) and < ${power(size * 8 - 1)}`, value);
}

function reader({ view, size }: Kind, isLittle: boolean): Method {
  const get = DataView.prototype[`get${view}` as 'getInt32'];
  return function (offset: unknown = 0) {
    return get.call(viewOf(this), checkOffset(this.length, offset, size), isLittle);
  };
}

function writer({ view, size, min, max }: Kind, isLittle: boolean): Method {
  const set = DataView.prototype[`set${view}` as 'setInt32'];
  const isBig = typeof min === 'bigint';
  return function (value: unknown, offset: unknown = 0) {
    const number = isBig ? (value as bigint) : toNumber(value);
    // For numbers of one byte, Node checks the offset's type first.
    if (size === 1) checkType(offset, 'offset');
    checkValue(number, size, min, max);
    const at = checkOffset(this.length, offset, size);
    if (isBig && typeof number !== 'bigint')
      throw new TypeError('Cannot mix BigInt and other types, use explicit conversions');
    // NaN has many byte patterns, and the engine may choose another one than Node.
    if (view.startsWith('Float') && Number.isNaN(number)) writeNaN(this, at, size, isLittle);
    else set.call(viewOf(this), at, number as number, isLittle);
    return at + size;
  };
}

/** Unlike Number(), throws for a BigInt. */
const toNumber = (value: unknown): number => +(value as number);

function writeNaN(bytes: Uint8Array, at: number, size: number, isLittle: boolean): void {
  const form = new Uint8Array(size);
  form.set(size === 4 ? [0x7f, 0xc0] : [0x7f, 0xf8]);
  bytes.set(isLittle ? form.reverse() : form, at);
}

function checkSize(size: unknown): number {
  checkType(size, 'byteLength');
  if (!isWhole(size)) throw outOfRange('byteLength', 'an integer', size);
  if (size < 1 || size > 6) throw outOfRange('byteLength', '>= 1 and <= 6', size);
  return size;
}

/** Methods like readUIntLE, for numbers of one to six bytes. */
function sizedReader(isSigned: boolean, isLittle: boolean): Method {
  return function (offset: unknown, byteLength: unknown) {
    if (offset === undefined) checkType(offset, 'offset');
    const size = checkSize(byteLength);
    const at = checkOffset(this.length, offset, size);
    const bytes = this.slice(at, at + size);
    if (isLittle) bytes.reverse();
    const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
    return isSigned && value > limits(size, true).max ? value - 2 ** (size * 8) : value;
  };
}

function sizedWriter(isSigned: boolean, isLittle: boolean): Method {
  return function (value: unknown, offset: unknown, byteLength: unknown) {
    const size = checkSize(byteLength);
    const number = toNumber(value);
    if (size === 1) checkType(offset, 'offset');
    const { min, max } = limits(size, isSigned);
    checkValue(number, size, min, max);
    const at = checkOffset(this.length, offset, size);
    const bytes = new Uint8Array(8);
    const view = viewOf(bytes);
    view.setUint32(0, Math.floor(number * 2 ** -32));
    view.setUint32(4, number);
    const used = bytes.subarray(8 - size);
    this.set(isLittle ? used.reverse() : used, at);
    return at + size;
  };
}

/** All methods by name. Those for unsigned integers have two names (UInt, Uint). */
export function numberMethods(): Map<string, Method> {
  const methods = new Map<string, Method>();
  const add = (name: string, method: Method, length: number): void => {
    Object.defineProperty(method, 'length', { value: length, configurable: true });
    methods.set(name, method);
    if (name.includes('UInt')) methods.set(name.replace('UInt', 'Uint'), method);
  };
  for (const isLittle of [true, false]) {
    const order = isLittle ? 'LE' : 'BE';
    for (const kind of [...INTEGERS, ...BIG, ...FLOATS]) {
      const name = kind.size === 1 ? kind.name : kind.name + order;
      add(`read${name}`, reader(kind, isLittle), 0);
      add(`write${name}`, writer(kind, isLittle), 1);
    }
    for (const isSigned of [true, false]) {
      const name = `${isSigned ? 'Int' : 'UInt'}${order}`;
      add(`read${name}`, sizedReader(isSigned, isLittle), 2);
      add(`write${name}`, sizedWriter(isSigned, isLittle), 3);
    }
  }
  return methods;
}
