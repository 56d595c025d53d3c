// Whose turn it is by what each has had: counted in the milliseconds that the test says each piece of work took.
import { describe, expect, it } from 'vitest';
import { FairQueue } from '../../src/ground/fair-queue.ts';
import { FairShares, type FairSharesOptions } from '../../src/ground/fair-shares.ts';

const always = () => true;
const OPTIONS = { newcomerMs: 25, maxAheadMs: 2_000 };

/** A queue whose items are their principals, and what serves the next of it. */
function shared(costMs: (principal: string) => number, options: FairSharesOptions = OPTIONS) {
  const shares = new FairShares(options);
  const queue = new FairQueue<string>(shares);
  const serve = (): string | undefined => {
    const next = queue.shift(always, always);
    if (next !== undefined) queue.done(next, costMs(next));
    return next;
  };
  const push = (principal: string, count = 1) => {
    for (let i = 0; i < count; i++) queue.pushStart(principal, principal);
  };
  const meet = (...principals: string[]) => {
    for (const principal of principals) {
      push(principal);
      serve();
    }
  };
  return { shares, queue, serve, push, meet };
}

const names = (count: number, prefix = 'p') => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

describe('shares', () => {
  it('one that wants less than its share is served next whenever it comes, beside thirty with eight pieces each', () => {
    const { push, serve, meet } = shared(principal => (principal === 'light' ? 1 : 8));
    meet('light', 'light');
    for (const principal of names(30)) push(principal, 8);
    for (let i = 0; i < 20; i++) {
      push('light');
      expect(serve()).toBe('light');
      for (let j = 0; j < 10; j++) expect(serve()).not.toBe('light');
    }
  });

  it('a newcomer that wants little waits for a few pieces of each of the others, and afterwards for none', () => {
    const { push, serve, meet } = shared(principal => (principal === 'light' ? 1 : 8));
    meet(...names(10), ...names(10));
    for (const principal of names(10)) push(principal, 100);
    push('light');
    let before = 0;
    while (serve() !== 'light') before += 1;
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThanOrEqual(30);
    push('light');
    expect(serve()).toBe('light');
  });

  it('principals get the same time, not the same number of pieces', () => {
    const { push, serve } = shared(principal => (principal === 'slow' ? 10 : 1));
    push('slow', 200);
    push('quick', 200);
    const served = Array.from({ length: 110 }, serve);
    expect(served.filter(each => each === 'quick').length).toBeGreaterThanOrEqual(95);
    expect(served.filter(each => each === 'slow').length).toBeGreaterThanOrEqual(9);
  });

  it('who is known and has had little goes before newcomers, and those go before who has had much', () => {
    const { push, serve, meet } = shared(principal => (principal === 'much' ? 1_800 : 5));
    meet('little', 'much', 'little');
    for (const principal of ['much', 'new', 'newer', 'little']) push(principal);
    expect([1, 2, 3, 4].map(serve)).toEqual(['little', 'new', 'newer', 'much']);
  });

  it('what is under way counts before it is known what it takes', () => {
    const { queue, push, meet } = shared(() => 10);
    meet('a', 'b');
    push('a', 4);
    push('b', 1);
    const begun = Array.from({ length: 3 }, () => queue.shift(always, always));
    expect(begun.sort()).toEqual(['a', 'a', 'b']);
  });

  it('time in which nothing was wanted is not made up for', () => {
    const { push, serve, meet } = shared(() => 10);
    meet('early');
    for (let i = 0; i < 100; i++) meet('steady');
    push('early', 100);
    push('steady', 100);
    const served = Array.from({ length: 20 }, serve);
    expect(served.filter(each => each === 'early').length).toBeLessThanOrEqual(11);
  });

  it('with a credit, several short pieces in a row are served before the others, but not without end', () => {
    const { push, serve, meet } = shared(principal => (principal === 'light' ? 2 : 5), { ...OPTIONS, creditMs: 8 });
    meet('light', 'light', ...names(4), ...names(4));
    for (const principal of names(4)) push(principal, 100);
    for (let i = 0; i < 40; i++) serve();
    push('light', 100);
    const served = Array.from({ length: 60 }, serve);
    expect(served.slice(0, 3)).toEqual(['light', 'light', 'light']);
    // Of the same time come 23 of 60 pieces of 2 ms, and of the credit 4.
    expect(served.filter(each => each === 'light').length).toBeLessThanOrEqual(29);
  });

  it('whoever has had far too much comes to its turn although newcomers never stop coming', () => {
    const { push, serve, meet } = shared(principal => (principal === 'hog' ? 1e6 : 2), {
      newcomerMs: 4,
      maxAheadMs: 50,
    });
    meet('light', 'hog', 'light');
    push('hog');
    let rounds = 0;
    for (;;) {
      push(`new ${rounds}`);
      push('light');
      rounds += 1;
      if ([serve(), serve()].includes('hog')) break;
    }
    expect(rounds).toBeLessThan(200);
  });

  it('modest is who is known and has had about what the others had', () => {
    const { shares, meet } = shared(principal => (principal === 'hog' ? 1_000 : 1));
    expect(shares.isModest('light')).toBe(false);
    meet('light', 'hog');
    expect(shares.isModest('light')).toBe(true);
    expect(shares.isModest('hog')).toBe(false);
  });

  it('a bounded number of principals is known, the last that were served', () => {
    const { shares, meet } = shared(() => 1);
    meet(...names(20_000));
    expect(shares.isKnown('p19999')).toBe(true);
    expect(shares.isKnown('p0')).toBe(false);
  });
});
