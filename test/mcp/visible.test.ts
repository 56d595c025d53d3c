import fc from 'fast-check';
import { expect, it } from 'vitest';
import { visible } from '../../src/mcp/answer/visible.ts';

it.each([
  ['an escape sequence', '\u001b[31mred', '\\u001b[31mred'],
  ['a direction mark', 'a\u202eb\u2066c', 'a\\u202eb\\u2066c'],
  ['invisible tag characters', 'x\u{e0041}y', 'x\\udb40\\udc41y'],
  ['a carriage return alone', 'a\rb', 'a\\u000db'],
])('%s is shown as its escape', (_title, text, shown) => {
  expect(visible(text)).toBe(shown);
});

it('line ends, tabs, emoji and other scripts stay as they are', () => {
  const text = 'a\tb\nc — é 漢字 👩‍👩‍👧 שלום';
  expect(visible(text)).toBe(text);
  expect(visible('a\r\nb')).toBe('a\nb');
});

it('JSON stays valid and keeps its meaning', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      expect(JSON.parse(visible(JSON.stringify({ text })))).toEqual({ text });
    }),
  );
});
