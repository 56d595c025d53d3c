// JSON text in parts: what moves to another thread and what is copied.
import { expect, it } from 'vitest';
import { buffersOf, concatUtf8, jsonOf, sizeOf, utf8Of, wholeText } from '../../src/ground/json-text.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

it('parts make one text', () => {
  const text = jsonOf(['["ä",', bytes('"€"'), ']']);
  expect(wholeText(text)).toBe('["ä","€"]');
  expect(Buffer.from(utf8Of(text)).toString('utf8')).toBe('["ä","€"]');
  expect(sizeOf(text)).toBe(11);
  expect(jsonOf(['[', '1', ']'])).toBe('[1]');
});

it('bytes with a buffer of their own move; bytes that share one are copied', () => {
  const own = bytes('"own"');
  const pooled = Buffer.from('"pooled"') as Buffer<ArrayBuffer>;
  expect(pooled.buffer.byteLength).toBeGreaterThan(pooled.length);
  expect(buffersOf(['[', own, ',', pooled, ']'])).toEqual([own.buffer]);
  expect(buffersOf(pooled)).toEqual([]);
  expect(buffersOf('"text"')).toEqual([]);
});

it('one piece with a buffer of its own is not copied', () => {
  const own = bytes('own');
  const shared = own.subarray(0, 2);
  expect(concatUtf8([own])).toBe(own);
  expect(concatUtf8([shared]).buffer).not.toBe(own.buffer);
  expect(Buffer.from(concatUtf8([shared, own])).toString()).toBe('owown');
});
