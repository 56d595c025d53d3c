import { describe, expect, it } from 'vitest';
import { FairQueue } from '../../src/ground/fair-queue.ts';
import { RecentWork } from '../../src/ground/recent-work.ts';

const always = () => true;

describe('recent work', () => {
  it('puts who has used little before newcomers, and those before who has used much', () => {
    const work = new RecentWork();
    work.note('little', 5);
    work.note('much', 1_800);
    const queue = new FairQueue<string>(principal => work.delayMs(principal));
    for (const principal of ['much', 'new', 'newer', 'little']) queue.pushStart(principal, principal);
    expect([1, 2, 3, 4].map(() => queue.shift(always, always))).toEqual(['little', 'new', 'newer', 'much']);
  });

  it('is forgotten by and by', () => {
    const work = new RecentWork();
    work.note('a', 1_600, 0);
    expect(work.delayMs('a', 0)).toBe(1_600);
    expect(work.delayMs('a', 10_000)).toBeCloseTo(800);
    expect(work.isModest('a', 0)).toBe(false);
    expect(work.isModest('a', 10_000)).toBe(true);
    work.note('a', 100, 10_000);
    expect(work.delayMs('a', 10_000)).toBeCloseTo(900);
  });

  it('delays nobody for more than two seconds, so that whoever waits comes to its turn', () => {
    const work = new RecentWork();
    work.note('a', 1e9);
    expect(work.delayMs('a')).toBe(2_000);
  });

  it('knows a bounded number of principals, the last that worked', () => {
    const work = new RecentWork();
    for (let i = 0; i < 20_000; i++) work.note(`p${i}`, 1, 0);
    expect(work.isModest('p19999', 0)).toBe(true);
    expect(work.isModest('p0', 0)).toBe(false);
  });
});
