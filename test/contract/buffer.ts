// Buffer: on every engine what Node's answers, encodings, numbers and searches alike.
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Harness } from './harness.ts';

const ENCODINGS = ['utf8', 'UTF-8', 'hex', 'base64', 'base64url', 'latin1', 'binary', 'ascii', 'ucs2', 'utf16le'];
const encoding = fc.constantFrom(...ENCODINGS);
const text = fc.oneof(
  fc.constantFrom('', 'hello', 'héllo 🎉', '68656c6c6f', '6865xx', 'aGVsbG8=', '_-8', 'aGk', '=aa', '\u0000\u00ff'),
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.base64String({ maxLength: 12 }),
);
const bytes = fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 12 });
const at = fc.oneof(fc.integer({ min: -4, max: 14 }), fc.constant(undefined));
const NUMBERS = ['UInt8', 'UInt16LE', 'UInt16BE', 'UInt32LE', 'UInt32BE', 'Int8', 'Int16LE', 'Int32BE', 'FloatLE'];
const READS = [...NUMBERS, 'DoubleBE', 'BigInt64LE', 'BigUInt64BE', 'Uint16LE'].map(name => `read${name}`);
const WRITES = [...NUMBERS, 'DoubleLE'].map(name => `write${name}`);

type Case = readonly unknown[];
const on = (what: string, ...args: fc.Arbitrary<unknown>[]): fc.Arbitrary<Case> => fc.tuple(fc.constant(what), ...args);

const CASES = fc.oneof(
  on('from', text, fc.constantFrom('utf8', 'hex', 'latin1', 'ascii', 'ucs2')),
  on(
    'from',
    fc.oneof(fc.base64String(), fc.string({ unit: 'binary-ascii', maxLength: 9 })),
    fc.constantFrom('base64', 'base64url'),
  ),
  on('toString', bytes, encoding, at, at),
  on('alloc', fc.integer({ min: 0, max: 9 }), fc.oneof(text, fc.integer({ min: -5, max: 300 })), encoding),
  on('fill', bytes, fc.oneof(text, fc.integer({ min: 0, max: 400 })), at, at),
  on('find', fc.constantFrom('includes', 'indexOf', 'lastIndexOf'), bytes, fc.oneof(text, bytes, fc.nat(300)), at),
  on('compare', bytes, bytes),
  on('copy', bytes, bytes, fc.nat(5), fc.nat(5)),
  on('write', bytes, text, fc.nat(4), encoding),
  on('cut', fc.constantFrom('subarray', 'slice'), bytes, at, at),
  on('concat', fc.array(bytes, { maxLength: 3 }), fc.option(fc.nat(20), { nil: undefined })),
  on('read', fc.constantFrom(...READS), bytes, fc.nat(8)),
  on('write number', fc.constantFrom(...WRITES), fc.integer({ min: -300, max: 70_000 }), fc.nat(8)),
  on('read any', fc.constantFrom('readIntLE', 'readUIntBE'), bytes, fc.nat(4), fc.integer({ min: 1, max: 6 })),
  on('byteLength', text, encoding),
  on('swap', fc.constantFrom('swap16', 'swap32', 'swap64'), bytes),
);

/** Of characters beyond latin1 Node's base64 reads one byte each. */
const isOdd = (asked: Case): boolean =>
  asked.some(each => /^base64/.test(String(each))) &&
  asked.some(each => typeof each === 'string' && /[^\0-\xff]/.test(each));

/** Evaluated as text in the guest, and here. */
const EVALUATE = `cases => {
  const shown = buffer => [buffer.toString('hex'), Buffer.isBuffer(buffer)];
  const table = {
    from: (text, encoding) => shown(Buffer.from(text, encoding)),
    toString: (bytes, encoding, start, end) => Buffer.from(bytes).toString(encoding, start, end),
    alloc: (size, fill, encoding) => shown(typeof fill === 'string' ? Buffer.alloc(size, fill, encoding) : Buffer.alloc(size, fill)),
    fill: (bytes, value, start, end) => shown(Buffer.from(bytes).fill(value, start, end)),
    find: (method, bytes, what, from) => Buffer.from(bytes)[method](Array.isArray(what) ? Buffer.from(what) : what, from),
    compare: (one, other) => [Buffer.compare(Buffer.from(one), Buffer.from(other)), Buffer.from(one).equals(Buffer.from(other))],
    copy: (bytes, target, at, from) => (to => [Buffer.from(bytes).copy(to, at, from), shown(to)])(Buffer.from(target)),
    write: (bytes, text, offset, encoding) => (to => [to.write(text, offset, encoding), shown(to)])(Buffer.from(bytes)),
    cut: (method, bytes, start, end) => shown(Buffer.from(bytes)[method](start, end)),
    concat: (parts, size) => shown(Buffer.concat(parts.map(part => Buffer.from(part)), size)),
    read: (method, bytes, offset) => String(Buffer.from(bytes)[method](offset)),
    'write number': (method, value, offset) => (to => [to[method](value, offset), shown(to)])(Buffer.alloc(10)),
    'read any': (method, bytes, offset, size) => Buffer.from(bytes)[method](offset, size),
    byteLength: (text, encoding) => Buffer.byteLength(text, encoding),
    swap: (method, bytes) => shown(Buffer.from(bytes)[method]()),
  };
  return cases.map(([what, ...args]) => {
    try { return { value: table[what](...args) } } catch (error) { return { error: error.name } }
  });
}`;

const literal = (value: unknown): string =>
  value === undefined ? 'undefined' : Array.isArray(value) ? `[${value.map(literal)}]` : JSON.stringify(value);
const here = (source: string): unknown => JSON.parse(JSON.stringify(new Function(`return (${source})()`)()));

export function buffer(guest: Harness): void {
  describe('Buffer', () => {
    it('answers as Node does, whatever is asked', { timeout: 60_000 }, async () => {
      const seed = Date.now();
      const cases = fc
        .sample(
          CASES.filter(asked => !isOdd(asked)),
          { seed, numRuns: 600 },
        )
        .map(literal);
      const source = `() => (${EVALUATE})([${cases}])`;
      const found = (await guest.value(source, { limits: { cpuMs: 20_000, wallMs: 30_000 } })) as unknown[];
      const expected = here(source) as unknown[];
      const wrong = cases.flatMap((asked, index) =>
        isDeepStrictEqual(found[index], expected[index])
          ? []
          : [{ asked, found: found[index], expected: expected[index] }],
      );
      expect({ seed, wrong }).toEqual({ seed, wrong: [] });
    });

    it.each<[what: string, expression: string, value: unknown]>([
      ['is a Uint8Array', `Buffer.from('a') instanceof Uint8Array && Buffer.from('a') instanceof Buffer`, true],
      [
        'shares the memory of its ArrayBuffer',
        `(a => (Buffer.from(a).fill(7), new Uint8Array(a)[1]))(new ArrayBuffer(2))`,
        7,
      ],
      ['knows its encodings', `['base64url', 'HEX', 'utf-16', 'x'].map(Buffer.isEncoding)`, [true, true, false, false]],
      ['is JSON as in Node', `JSON.stringify(Buffer.from('ab'))`, '{"type":"Buffer","data":[97,98]}'],
      ['is text by itself', `\`\${Buffer.from('hé')}\``, 'hé'],
      [
        'is cut and mapped as itself',
        `[Buffer.from('abc').map(b => b + 1).toString(), Buffer.isBuffer(Buffer.of(1).filter(Boolean))]`,
        ['bcd', true],
      ],
    ])('%s', async (_what, expression, value) => {
      expect(await guest.value(`async () => ${expression}`)).toEqual(value);
    });

    it.each([
      ['an encoding there is not', `Buffer.from('a', 'utf-99')`, /TypeError: .*utf-99/],
      ['a number to be made of', `Buffer.from(5)`, /TypeError: /],
      ['a method of other versions', `Buffer.from('a').transcode('utf8', 'ucs2')`, /TypeError: /],
      ['a read behind its end', `Buffer.alloc(2).readUInt32LE(0)`, /RangeError: /],
    ])('refuses %s', async (_what, expression, error) => {
      const { name, message } = await guest.error(`async () => ${expression}`);
      expect(`${name}: ${message}`).toMatch(error);
    });
  });
}
