import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MASK, maskKey } from '../../src/upstream/key-spellings.ts';

const bare = randomBytes(20).toString('hex');
const key = `e2b_${bare}`;
const each = (as: (char: string, code: string) => string) =>
  [...key].map(char => as(char, char.charCodeAt(0).toString(16))).join('');

describe('the key is masked', () => {
  it.each([
    ['as it is', key],
    ['without its prefix', bare],
    ['in upper case', key.toUpperCase()],
    ['in mixed case', `E2b_${[...bare].map((char, i) => (i % 2 ? char : char.toUpperCase())).join('')}`],
    ['percent-encoded', each((_char, code) => `%${code}`)],
    [
      'partly percent-encoded, in upper case',
      each((char, code) => (/[a-f]/.test(char) ? `%${code.toUpperCase()}` : char)),
    ],
    ['as escapes of JSON', each((_char, code) => `\\u00${code}`)],
    ['as escapes of JSON in a JSON string', each((_char, code) => `\\\\u00${code}`)],
    ['as escapes of JavaScript', each((_char, code) => `\\x${code}`)],
    ['as code points of JavaScript', each((_char, code) => `\\u{${code}}`)],
    ['as decimal references of HTML', each(char => `&#${char.charCodeAt(0)};`)],
    ['as hexadecimal references of HTML', each((_char, code) => `&#x${code};`)],
  ])('%s', (_how, spelt) => {
    expect(maskKey(`before ${spelt} after ${spelt}`, key)).toBe(`before ${MASK} after ${MASK}`);
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7])('inside base64 after %i bytes, which stays valid base64', before => {
    const text = `${'u'.repeat(before)}${key}:pass`;
    for (const encoding of ['base64', 'base64url'] as const) {
      const masked = maskKey(`Basic ${Buffer.from(text).toString(encoding)}`, key);
      const decoded = Buffer.from(masked.slice('Basic '.length), encoding).toString('latin1');
      expect(decoded).toHaveLength(text.length);
      expect(decoded.startsWith('u'.repeat(before))).toBe(true);
      expect(decoded.endsWith(':pass')).toBe(true);
      expect(decoded).not.toContain(bare.slice(2, -2));
      expect(decoded).toContain('*'.repeat(bare.length - 4));
    }
  });

  it('so that JSON stays valid, whatever precedes it', () => {
    const text = fc.array(
      fc.constantFrom('\\', '"', 'x', 'u', '%', key, bare.toUpperCase(), ...['\\u00', '\\x', '&#']),
      {
        maxLength: 30,
      },
    );
    fc.assert(
      fc.property(text, pieces => {
        const value = { a: pieces.join(''), b: [pieces.join('')] };
        const masked = maskKey(JSON.stringify(value), key);
        expect(() => JSON.parse(masked)).not.toThrow();
        expect(masked.toLowerCase()).not.toContain(bare);
      }),
    );
  });
});

it('text without the key is not changed', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), text => {
      expect(maskKey(text, key)).toBe(text);
    }),
  );
});

it.each(['\\', '%', '&#', '\\x', '\\u00', `${bare.slice(0, -1)}-`, '%65', `${'\\'.repeat(70)}x65`])(
  'a large text of %j is searched in linear time',
  piece => {
    /** The lowest of three, because the CPU time of garbage collection and compilation on other threads counts, too. */
    const cost = (chars: number) => {
      const text = piece.repeat(Math.ceil(chars / piece.length));
      const costs = [1, 2, 3].map(() => {
        const startedAt = process.cpuUsage();
        expect(maskKey(text, key)).toBe(text);
        const { user, system } = process.cpuUsage(startedAt);
        return user + system;
      });
      return Math.min(...costs);
    };
    cost(100_000);
    // The text is eight times longer; quadratic cost would be 64 times higher.
    expect(cost(1_600_000)).toBeLessThan(32 * Math.max(cost(200_000), 2_000));
  },
);
