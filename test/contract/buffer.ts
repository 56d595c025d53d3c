// Buffer gives the same results on every engine as in Node: encodings, numbers and searches.
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
const kinds = (...sizes: (string | number)[]) =>
  ['UInt', 'Uint', 'Int'].flatMap(sign => sizes.flatMap(size => [`${sign}${size}LE`, `${sign}${size}BE`]));
const SIZED = kinds('');
const NUMBERS = ['UInt8', 'Uint8', 'Int8', ...kinds(16, 32), 'FloatLE', 'FloatBE', 'DoubleLE', 'DoubleBE'];
const BIG = ['LE', 'BE'].flatMap(order => ['BigInt64', 'BigUInt64', 'BigUint64'].map(name => name + order));
/** Written as code, because JSON cannot represent these values. */
const code = (...texts: string[]) => fc.constantFrom(...texts).map(source => ({ source }));
const ODD_PLACES = ['null', '"1"', '1.5', 'NaN', '-1', 'Infinity', '{}', '-0'];
const oddAt = fc.oneof({ weight: 4, arbitrary: at }, code(...ODD_PLACES, '2 ** 33'));
/** For a start beyond 32 bits, Node 20 throws a RangeError in `compare` and Node 24 does not. */
const oddStart = fc.oneof({ weight: 4, arbitrary: at }, code(...ODD_PLACES));
const oddNumber = fc.oneof(
  fc.integer({ min: -300, max: 70_000 }),
  code(
    '1.7',
    '-1.2',
    'NaN',
    '"5"',
    'undefined',
    'null',
    '1n',
    '1e40',
    '2 ** 32',
    '2 ** 47',
    '-(2 ** 47)',
    '2 ** 48 - 1',
  ),
);
const oddBig = code(
  '0n',
  '-1n',
  '2n ** 63n',
  '2n ** 63n - 1n',
  '2n ** 64n - 1n',
  '2n ** 64n',
  '-(2n ** 63n)',
  '1',
  '"1"',
);
const oddEncoding = fc.oneof({ weight: 6, arbitrary: encoding }, code('undefined', 'null', '""', '"nope"', '5'));
/** Only text: Node 24.21 searches in UTF-8 if the encoding is a number, and crashes if it is null. */
const searchEncoding = fc.oneof({ weight: 6, arbitrary: encoding }, code('undefined', '""', '"nope"'));
const size = fc.oneof(fc.integer({ min: 0, max: 7 }), code('undefined', '"3"', '1.5', 'Infinity'));

type Case = readonly unknown[];
const on = (what: string, ...args: fc.Arbitrary<unknown>[]): fc.Arbitrary<Case> => fc.tuple(fc.constant(what), ...args);

const found = fc.constantFrom('includes', 'indexOf', 'lastIndexOf');
const needle = fc.constantFrom('', 'a', 'l', 'X', 'é', '€', '77', '6161', 'wö', 'bc', 'zz', 'aXb');
const flag = fc.boolean();

const CASES = fc.oneof(
  on('from', text, fc.constantFrom('utf8', 'hex', 'latin1', 'ascii', 'ucs2')),
  on(
    'from',
    fc.oneof(fc.base64String(), fc.string({ unit: 'binary-ascii', maxLength: 9 })),
    fc.constantFrom('base64', 'base64url'),
  ),
  on('toString', bytes, oddEncoding, oddAt, oddAt),
  on('alloc', fc.integer({ min: 0, max: 9 }), fc.oneof(text, fc.integer({ min: -5, max: 300 })), encoding),
  on('fill', bytes, fc.oneof(text, fc.integer({ min: 0, max: 400 })), at, at),
  on('find', found, bytes, fc.oneof(text, bytes, fc.nat(300)), oddAt),
  on('find', found, fc.constantFrom('héllo wörld € 😀', 'abcabc', 'a\u0000b\u0000'), needle, oddAt, searchEncoding),
  on('find encoded', found, fc.constantFrom('aXbXaX', 'héllo'), needle, oddAt, encoding),
  on('compare', bytes, bytes),
  on('compare parts', bytes, bytes, oddStart, oddAt, oddStart, oddAt),
  on('copy', bytes, bytes, oddAt, oddAt, oddAt),
  on('write', bytes, text, oddAt, oddEncoding),
  on('write', bytes, text, oddAt, oddAt, oddEncoding),
  on('copy of', bytes, oddAt, oddAt),
  on('decode', fc.constantFrom('utf-8', 'utf-16le', 'UTF-16', 'nope'), fc.array(bytes, { maxLength: 3 }), flag, flag),
  on('cut', fc.constantFrom('subarray', 'slice'), bytes, at, at),
  on('concat', fc.array(bytes, { maxLength: 3 }), fc.option(fc.nat(20), { nil: undefined })),
  on('read', fc.constantFrom(...NUMBERS, ...BIG), bytes, oddAt),
  on('write number', fc.constantFrom(...NUMBERS), oddNumber, oddAt),
  on('write number', fc.constantFrom(...BIG), oddBig, oddAt),
  on('read any', fc.constantFrom(...SIZED), bytes, oddAt, size),
  on('write number', fc.constantFrom(...SIZED), oddNumber, oddAt, size),
  on('byteLength', text, encoding),
  on('swap', fc.constantFrom('swap16', 'swap32', 'swap64'), bytes),
);

/** For characters beyond Latin-1, Node's base64 and hex read one byte each. */
const isOdd = (asked: Case): boolean =>
  asked.some(each => /^(?:base64|hex)/.test(String(each))) &&
  asked.some(each => typeof each === 'string' && /[^\0-\xff]/.test(each));

/** Its source is evaluated in the guest, and it is called here. */
const EVALUATE = `cases => {
  const shown = buffer => [buffer.toString('hex'), Buffer.isBuffer(buffer)];
  const table = {
    from: (text, encoding) => shown(Buffer.from(text, encoding)),
    toString: (bytes, encoding, start, end) => Buffer.from(bytes).toString(encoding, start, end),
    alloc: (size, fill, encoding) => shown(typeof fill === 'string' ? Buffer.alloc(size, fill, encoding) : Buffer.alloc(size, fill)),
    fill: (bytes, value, start, end) => shown(Buffer.from(bytes).fill(value, start, end)),
    find: (method, bytes, what, from, encoding) => Buffer.from(bytes)[method](Array.isArray(what) ? new Uint8Array(what) : what, from, encoding),
    'find encoded': (method, text, what, from, encoding) => {
      const bytes = Buffer.from(text, 'utf16le');
      return [what, Buffer.from(what, encoding)].map(each => bytes[method](each, from, encoding));
    },
    'compare parts': (one, other, ...ends) => Buffer.from(one).compare(new Uint8Array(other), ...ends),
    'copy of': (bytes, offset, length) => shown(Buffer.copyBytesFrom(Uint16Array.from(bytes, byte => byte * 257), offset, length)),
    decode: (label, parts, fatal, ignoreBOM) => {
      const decoder = new TextDecoder(label, { fatal, ignoreBOM });
      return [...parts.map(part => decoder.decode(new Uint8Array(part), { stream: true })), decoder.decode(), decoder.encoding];
    },
    compare: (one, other) => [Buffer.compare(Buffer.from(one), Buffer.from(other)), Buffer.from(one).equals(Buffer.from(other))],
    copy: (bytes, target, ...ends) => (to => [Buffer.from(bytes).copy(to, ...ends), shown(to)])(Buffer.from(target)),
    write: (bytes, text, ...rest) => (to => [to.write(text, ...rest), shown(to)])(Buffer.from(bytes)),
    cut: (method, bytes, start, end) => shown(Buffer.from(bytes)[method](start, end)),
    concat: (parts, size) => shown(Buffer.concat(parts.map(part => Buffer.from(part)), size)),
    read: (kind, bytes, offset) => String(Buffer.from(bytes)['read' + kind](offset)),
    'write number': (kind, ...args) => (to => [to['write' + kind](...args), shown(to)])(Buffer.alloc(10)),
    'read any': (kind, bytes, offset, size) => Buffer.from(bytes)['read' + kind](offset, size),
    byteLength: (text, encoding) => Buffer.byteLength(text, encoding),
    swap: (method, bytes) => shown(Buffer.from(bytes)[method]()),
  };
  return cases.map(([what, ...args]) => {
    try { return { value: table[what](...args) } } catch (error) { return { error: error.name, code: error.code } }
  });
}`;

const isCode = (value: unknown): value is { source: string } =>
  typeof value === 'object' && value !== null && 'source' in value;
const literal = (value: unknown): string =>
  value === undefined
    ? 'undefined'
    : isCode(value)
      ? `(${value.source})`
      : Array.isArray(value)
        ? `[${value.map(literal)}]`
        : JSON.stringify(value);
const here = (source: string): unknown => JSON.parse(JSON.stringify(new Function(`return (${source})()`)()));

export function buffer(guest: Harness): void {
  describe('Buffer', () => {
    it('gives the same results as Node for random calls', { timeout: 60_000 }, async () => {
      const seed = Math.floor(Math.random() * 2 ** 31);
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
        'slices and maps to Buffers',
        `[Buffer.from('abc').map(b => b + 1).toString(), Buffer.isBuffer(Buffer.of(1).filter(Boolean))]`,
        ['bcd', true],
      ],
    ])('%s', async (_what, expression, value) => {
      expect(await guest.value(`async () => ${expression}`)).toEqual(value);
    });

    it.each([
      ['an unknown encoding', `Buffer.from('a', 'utf-99')`, /TypeError: .*utf-99/],
      ['a number as the source', `Buffer.from(5)`, /TypeError: /],
      ['a method of other versions', `Buffer.from('a').transcode('utf8', 'ucs2')`, /TypeError: /],
      ['a read behind its end', `Buffer.alloc(2).readUInt32LE(0)`, /RangeError: /],
    ])('refuses %s', async (_what, expression, error) => {
      const { name, message } = await guest.error(`async () => ${expression}`);
      expect(`${name}: ${message}`).toMatch(error);
    });
  });
}
