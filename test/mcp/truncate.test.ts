import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { truncateJson, truncateLog } from '../../src/mcp/answer/truncate.ts';
import { FUZZ_TIMEOUT_MS, fuzzRounds } from '../support/fuzz.ts';

const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

describe('truncateJson', () => {
  test('does not change text that fits', () => {
    expect(truncateJson('{"a":[1,2]}', 11)).toEqual({ text: '{"a":[1,2]}', truncated: false });
  });

  test.each<[name: string, value: unknown, cap: number, expected: unknown]>([
    [
      'the tail of a list',
      Array.from({ length: 100 }, (_, id) => ({ id })),
      120,
      [...[0, 1, 2, 3, 4, 5, 6].map(id => ({ id })), '… 91 more of 100 items', { id: 98 }, { id: 99 }],
    ],
    ['a long string', 'x'.repeat(1000), 50, `${'x'.repeat(23)}… 977 more characters`],
    [
      'the middle of a long string',
      `begin${'x'.repeat(1000)}end`,
      200,
      expect.stringMatching(/^beginx+… [\d,]+ more characters …x+end$/),
    ],
    [
      'a list beside small fields',
      { status: 200, data: Array.from({ length: 100 }, (_, n) => n), ok: true },
      90,
      { status: 200, data: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, '… 87 more of 100 items', 97, 98, 99], ok: true },
    ],
    [
      'a long string among short ones',
      ['a', 'b'.repeat(500), 'c'],
      60,
      ['a', `${'b'.repeat(25)}… 475 more characters`, 'c'],
    ],
    [
      'an object with many keys',
      Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`key${n}`, n])),
      70,
      { key0: 0, key1: 1, key2: 2, key3: 3, '…': '96 more of 100 keys' },
    ],
  ])('cuts %s', (_, value, cap, expected) => {
    const { text, truncated, note } = truncateJson(JSON.stringify(value), cap);
    expect(JSON.parse(text)).toEqual(expected);
    expect(text.length).toBeLessThanOrEqual(cap);
    expect(truncated).toBe(true);
    expect(note).toMatch(/^The result has [\d,]+ characters; it was cut to \d+\. Return less/);
  });

  test('of rows with very different sizes, the small ones stay whole', () => {
    const rows = Array.from({ length: 40 }, (_, id) => ({ id, log: id === 0 ? 'y'.repeat(100_000) : 'short' }));
    const cut = JSON.parse(truncateJson(JSON.stringify(rows), 10_000).text);
    expect(cut).toHaveLength(40);
    expect(cut.slice(1)).toEqual(rows.slice(1));
    expect(cut[0].log).toMatch(/^y{5000,}… [\d,]+ more characters …y+$/);
  });

  test('surrogate pairs and escapes stay whole', () => {
    for (let cap = 26; cap < 60; cap += 1) {
      for (const raw of [
        JSON.stringify('😀'.repeat(100)),
        `"${'\\ud83d\\ude00'.repeat(100)}"`,
        JSON.stringify('a\n"\\'.repeat(100)),
        `"${'\\u0000'.repeat(100)}"`,
      ]) {
        const { text } = truncateJson(raw, cap);
        expect(text.length).toBeLessThanOrEqual(cap);
        expect(JSON.parse(text)).not.toMatch(LONE);
      }
    }
  });

  test('the result is always valid JSON within the limit', { timeout: FUZZ_TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 6 }),
        fc.integer({ min: 2, max: 300 }),
        fc.boolean(),
        (value, cap, spaced) => {
          const json = spaced ? JSON.stringify(value, null, 2) : JSON.stringify(value);
          const { text, truncated, note } = truncateJson(json, cap);
          expect(text.length).toBeLessThanOrEqual(cap);
          expect(truncated).toBe(json.length > cap);
          expect(note !== undefined).toBe(truncated);
          if (!truncated) expect(text).toBe(json);
          JSON.parse(text);
        },
      ),
      { numRuns: fuzzRounds(150) },
    );
  });

  test('lists of equal rows use most of the characters allowed', { timeout: FUZZ_TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 17, max: 2000 }),
        fc.integer({ min: 2000, max: 20_000 }),
        (width, length, cap) => {
          const json = JSON.stringify(Array.from({ length }, () => 'z'.repeat(width)));
          const { text } = truncateJson(json, cap);
          expect(text.length).toBeGreaterThanOrEqual(Math.min(json.length, cap - width - 60));
        },
      ),
    );
  });

  test('text that is not JSON becomes a JSON string', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('[', ']', '{', '}', '"', ',', ':', '\\', 'a', '1', ' '), maxLength: 60 }),
        fc.integer({ min: 2, max: 40 }),
        (text, cap) => {
          fc.pre(text.length > cap);
          const cut = truncateJson(text, cap);
          expect(cut.text.length).toBeLessThanOrEqual(cap);
          JSON.parse(cut.text);
        },
      ),
      { numRuns: fuzzRounds(100) },
    );
  });

  test('deep nesting causes no error', () => {
    for (const json of [
      '['.repeat(100_000) + ']'.repeat(100_000),
      `${'{"a":'.repeat(60_000)}1${'}'.repeat(60_000)}`,
      `${'[1,'.repeat(60_000)}1${']'.repeat(60_000)}`,
    ]) {
      const { text } = truncateJson(json, 100_000);
      expect(text.length).toBeLessThanOrEqual(100_000);
      JSON.parse(text);
    }
  });
});

describe('truncateLog', () => {
  test('keeps head and tail', () => {
    const log = Array.from({ length: 1000 }, (_, n) => `line ${n}`).join('\n');
    const { text, truncated } = truncateLog(log, 200);
    expect(truncated).toBe(true);
    expect(text.startsWith('line 0\n')).toBe(true);
    expect(text.endsWith('\nline 999')).toBe(true);
    expect(text).toMatch(/… [\d,]+ of 8,889 characters cut …/);
    expect(text.length).toBeLessThanOrEqual(200);
  });

  test('stays within the limit and splits no character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.integer({ min: 0, max: 200 }), (text, cap) => {
        const cut = truncateLog(text, cap);
        expect(cut.text.length).toBeLessThanOrEqual(cap);
        if (!LONE.test(text)) expect(cut.text).not.toMatch(LONE);
      }),
    );
  });
});
