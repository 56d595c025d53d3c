// The check accepts what JSON.parse accepts.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isJson } from '../../src/ground/json-check.ts';
import { fuzzRounds } from '../support/fuzz.ts';

const parses = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

const PIECES = [
  ...['{', '}', '[', ']', ',', ':', '"', '\\', '\\u', '00', '0', '1', '-', '+', '.', 'e', 'E', 'true', 'false', 'null'],
  ...[
    '"a"',
    '"a":',
    '{}',
    '[]',
    '""',
    '\\n',
    '\\"',
    '\\x',
    '\\uD800',
    '\ud800',
    ' ',
    '\t',
    '\n',
    '\r',
    '\v',
    '\u00a0',
    '\ufeff',
  ],
  ...['\0', '\u2028', '1e5', '0.5', '-0', '01', '1.', '.5', 'nul', 'NaN', '/*', "'a'"],
];

it('texts of pieces of JSON', () => {
  const text = fc.array(fc.constantFrom(...PIECES), { maxLength: 8 }).map(pieces => pieces.join(''));
  fc.assert(
    fc.property(text, each => {
      expect(isJson(each)).toBe(parses(each));
    }),
    { numRuns: fuzzRounds(5_000) },
  );
});

it('JSON, and JSON that was changed in one place', () => {
  const changed = fc
    .tuple(fc.json({ maxDepth: 4 }), fc.nat(), fc.constantFrom('', ...PIECES))
    .map(([text, at, piece]) => text.slice(0, at % text.length) + piece + text.slice((at % text.length) + 1));
  fc.assert(
    fc.property(fc.json({ noUnicodeString: false }), changed, (text, other) => {
      expect(isJson(text)).toBe(true);
      expect(isJson(other)).toBe(parses(other));
    }),
    { numRuns: fuzzRounds(1_000) },
  );
});

it('what follows a note, and no more than 10,000 levels', () => {
  expect([isJson('note[1]', 4), isJson('note[1]'), isJson('[1]', 3)]).toEqual([true, false, false]);
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
  expect([isJson(nested(10_000)), isJson(nested(10_001)), isJson('['.repeat(1_000_000))]).toEqual([true, false, false]);
});
