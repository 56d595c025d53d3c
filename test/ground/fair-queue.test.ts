import { describe, expect, it } from 'vitest';
import { FairQueue } from '../../src/ground/fair-queue.ts';

type May = (principal: string) => boolean;
const yes: May = () => true;

function drain(queue: FairQueue<string>, mayResume = yes, mayStart = yes): string[] {
  const out: string[] = [];
  for (let item = queue.shift(mayResume, mayStart); item !== undefined; item = queue.shift(mayResume, mayStart))
    out.push(item);
  return out;
}

describe('the queue', () => {
  it('gives principals turns, and serves resumes before starts within one', () => {
    const queue = new FairQueue<string>();
    for (const item of ['a1', 'a2', 'a3']) queue.pushStart('a', item);
    queue.pushStart('b', 'b1');
    queue.pushResume('a', 'a-resumed');
    expect(drain(queue)).toEqual(['a-resumed', 'b1', 'a1', 'a2', 'a3']);
    expect(queue.size).toBe(0);
  });

  it('passes over those who may not go', () => {
    const queue = new FairQueue<string>();
    queue.pushStart('a', 'a1');
    queue.pushResume('b', 'b1');
    expect(drain(queue, yes, () => false)).toEqual(['b1']);
    expect(drain(queue, principal => principal !== 'a')).toEqual(['a1']);
  });

  it('gives up the newest of whoever waits with most', () => {
    const queue = new FairQueue<string>();
    for (const item of ['a1', 'a2', 'a3']) queue.pushStart('a', item);
    queue.pushStart('b', 'b1');
    expect(queue.takeNewestOfLargest(3)).toBeUndefined();
    expect(queue.takeNewestOfLargest(1)).toBe('a3');
    expect(drain(queue)).toEqual(['a1', 'b1', 'a2']);
  });

  it('lets go of what is no longer wanted', () => {
    const queue = new FairQueue<string>();
    queue.pushStart('a', 'a1');
    queue.pushResume('a', 'a2');
    queue.pushStart('b', 'b1');
    expect(queue.remove(item => item.endsWith('1'))).toEqual(expect.arrayContaining(['a1', 'b1']));
    expect([queue.size, queue.starts]).toEqual([1, 0]);
    expect(drain(queue)).toEqual(['a2']);
  });
});
