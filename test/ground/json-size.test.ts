import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  describeExcess,
  type JsonLimits,
  JsonMeter,
  type JsonSize,
  judgeJson,
  NO_JSON_LIMITS,
} from '../../src/ground/json-size.ts';

const limits = (some: Partial<JsonLimits>): JsonLimits => ({ ...NO_JSON_LIMITS, ...some });

/** The same numbers, counted on what JSON.parse builds. */
function sizeOf(value: unknown): Omit<JsonSize, 'bytes' | 'longestKeyBytes'> {
  if (typeof value !== 'object' || value === null) return { values: 1, keys: 0, depth: 1 };
  const inner = Object.values(value).map(sizeOf);
  return {
    values: inner.reduce((sum, { values }) => sum + values, 1),
    keys: inner.reduce((sum, { keys }) => sum + keys, Array.isArray(value) ? 0 : inner.length),
    depth: inner.reduce((deepest, { depth }) => Math.max(deepest, depth + 1), 1),
  };
}

function measured(text: string | Uint8Array): JsonSize {
  const verdict = judgeJson(text, NO_JSON_LIMITS);
  if (!verdict.fits) throw new Error('there was no limit');
  return verdict.size;
}

describe('judgeJson', () => {
  it('counts what JSON.parse builds, whatever the white space', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, '\n\t '), (value, space) => {
        const text = JSON.stringify(value, undefined, space);
        expect(measured(text)).toMatchObject({ ...sizeOf(value), bytes: Buffer.byteLength(text) });
      }),
    );
  });

  it('gives the same numbers for text, for bytes, and for bytes in pieces', () => {
    fc.assert(
      fc.property(fc.json(), fc.integer({ min: 1, max: 7 }), (text, step) => {
        const bytes = Buffer.from(text);
        const meter = new JsonMeter(NO_JSON_LIMITS);
        for (let at = 0; at < bytes.length; at += step) meter.push(bytes.subarray(at, at + step));
        expect(measured(bytes)).toEqual(measured(text));
        expect(meter.end()).toEqual(measured(text));
      }),
    );
  });

  it('counts long strings with quotes and escapes anywhere, also in pieces', () => {
    const part = fc.oneof(
      fc.constantFrom('"', '\\', '\\"', ':', ',', '[', '}', '\u0000', 'é'),
      fc.nat(150).map(chars => 'x'.repeat(chars)),
    );
    const long = fc.array(part, { maxLength: 12 }).map(parts => parts.join(''));
    fc.assert(
      fc.property(fc.array(long, { maxLength: 5 }), long, fc.integer({ min: 1, max: 300 }), (strings, key, step) => {
        const value = [...strings, { [key]: strings }];
        const bytes = Buffer.from(JSON.stringify(value));
        const meter = new JsonMeter(NO_JSON_LIMITS);
        for (let at = 0; at < bytes.length; at += step) meter.push(bytes.subarray(at, at + step));
        const longestKeyBytes = Buffer.byteLength(JSON.stringify(key)) - 2;
        expect(measured(bytes)).toEqual({ ...sizeOf(value), bytes: bytes.length, longestKeyBytes });
        expect(meter.end()).toEqual(measured(bytes));
      }),
    );
  });

  it('never throws, and counts text that is no JSON', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), text => void measured(text)));
    expect(measured('{},{},"a"')).toMatchObject({ values: 3, depth: 1 });
    expect(measured('{"a":{"b')).toMatchObject({ keys: 1 });
    expect(measured(']]]][1')).toMatchObject({ values: 2 });
  });

  it('measures keys in bytes, with quotes and colons inside strings left alone', () => {
    expect(measured('{"é\\"": ":", "ab" : {"c":[]}}')).toMatchObject({
      keys: 3,
      values: 4,
      depth: 3,
      longestKeyBytes: 4,
    });
  });

  it('measures text longer than its buffer', () => {
    const value = Array.from({ length: 5000 }, (_, i) => ({ [`schlüssel ${i}`]: `wert "${i}" 🙂` }));
    const text = JSON.stringify(value);
    expect(measured(text)).toMatchObject({ ...sizeOf(value), bytes: Buffer.byteLength(text) });
  });

  it.each([
    ['bytes', '"1234567890"', limits({ maxBytes: 5 }), 'more than 5 bytes'],
    ['bytes', '"éééé"', limits({ maxBytes: 8 }), 'more than 8 bytes'],
    ['values', '[1,2,3]', limits({ maxValues: 3 }), 'more than 3 values'],
    ['keys', '{"a":1,"b":2}', limits({ maxKeys: 1 }), 'more than 1 keys'],
    ['depth', '[[[]]]', limits({ maxDepth: 2 }), 'values nested deeper than 2 levels'],
    ['longestKeyBytes', '{"abcd":1}', limits({ maxKeyBytes: 3 }), 'a key longer than 3 bytes'],
  ] as const)('refuses %s over the limit: %s', (of, text, some, words) => {
    const verdict = judgeJson(text, some);
    expect(verdict).toMatchObject({ fits: false, excess: { of } });
    expect(verdict.fits ? '' : describeExcess(verdict.excess)).toBe(words);
  });

  it('lets a text at its limits pass', () => {
    const exact = { maxBytes: 13, maxValues: 3, maxKeys: 2, maxDepth: 2, maxKeyBytes: 1 };
    expect(judgeJson('{"a":1,"b":2}', exact).fits).toBe(true);
  });
});
