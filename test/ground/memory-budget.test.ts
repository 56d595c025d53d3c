import { expect, it } from 'vitest';
import { MemoryBudget } from '../../src/ground/memory-budget.ts';

const budget = () => new MemoryBudget({ maxBytes: 100, maxBytesPerPrincipal: 60 });

it('refuses a principal over its share with `busy`, and no other principal', () => {
  const memory = budget();
  const mine = memory.open('a');
  mine.take(60);
  expect(() => memory.open('a').take(1)).toThrowError(expect.objectContaining({ code: 'busy' }));
  memory.open('b').take(40);
  expect(memory.bytes).toBe(100);
});

it('refuses everybody over the whole', () => {
  const memory = budget();
  memory.open('a').take(60);
  memory.open('b').take(30);
  expect(() => memory.open('c').take(11)).toThrowError(/all callers/);
  expect(memory.bytesOf('c')).toBe(0);
});

it('a refused take leaves what was held', () => {
  const memory = budget();
  const holding = memory.open('a');
  holding.take(50);
  expect(() => holding.take(20)).toThrow();
  expect(holding.bytes).toBe(50);
  holding.give(20);
  expect([holding.bytes, memory.bytes]).toEqual([30, 30]);
});

it('a holding is released once, however often it is asked', () => {
  const memory = budget();
  const holding = memory.open('a');
  memory.open('a').take(10);
  holding.take(20);
  holding.release();
  holding.release();
  expect([holding.bytes, memory.bytes, memory.bytesOf('a')]).toEqual([0, 10, 10]);
});
