// The decisions about which run is next and which long slices let others go first, with workers that only have a state.
// That real runs follow them is tested in load.test.ts.
import { describe, expect, it } from 'vitest';
import { Pool } from '../../src/engine/quickjs/pool.ts';
import { PoolWorker } from '../../src/engine/quickjs/pool-worker.ts';
import { admissionFor } from './admission-harness.ts';

describe('the order of runs', () => {
  it('known principals with little CPU time are first, then new ones, then those with much CPU time', () => {
    const { meet, enqueue, order } = admissionFor(2);
    meet(1, 'light', 'light');
    meet(900, 'heavy');
    enqueue('heavy', 'new', 'newer', 'light');
    expect(order()).toEqual(['light', 'new', 'newer', 'heavy']);
  });

  it('a principal with little CPU time is next whenever it arrives, beside thirty new ones with eight runs each', () => {
    const { meet, enqueue, place, end } = admissionFor(2);
    meet(1, 'light', 'light');
    for (let i = 0; i < 8; i++) enqueue(...Array.from({ length: 30 }, (_, key) => `key ${key}`));
    for (let turn = 0; turn < 20; turn++) {
      enqueue('light');
      const first = place();
      expect(first?.principal).toBe('light');
      if (first !== undefined) end(first, 1);
      for (let i = 0; i < 2; i++) {
        const other = place();
        if (other !== undefined) end(other, 8);
      }
    }
  });

  it('a principal that occupies several workers with long slices comes after the others', () => {
    const { hold, addWorker, enqueue, order } = admissionFor(8);
    hold('hog', 'hog', 'one');
    addWorker();
    enqueue('hog', 'one', 'new');
    expect(order().indexOf('hog')).toBe(2);
  });

  it('a principal that occupies all workers except the last does not get that one, and another does', () => {
    const { hold, addWorker, enqueue, order } = admissionFor(3);
    hold('hog', 'hog');
    addWorker();
    enqueue('hog');
    expect(order()).toEqual([]);
    enqueue('new');
    expect(order()).toEqual(['new']);
  });

  it('while several principals occupy the others, only those with little CPU time and new ones on trial get the last worker', () => {
    const { meet, hold, addWorker, enqueue, order } = admissionFor(3);
    meet(1, 'light', 'light');
    meet(900, 'heavy');
    hold('a', 'b');
    addWorker();
    enqueue('heavy', 'new', 'light');
    expect(order()).toEqual(['light', 'new']);
  });
});

describe('a trial', () => {
  it('is only the first slice of a new principal', () => {
    const { meet, enqueue, place } = admissionFor(2);
    meet(1, 'known', 'known');
    enqueue('known', 'new');
    expect(place()?.trial).toBeUndefined();
    expect(place()?.trial).toBeDefined();
  });

  it('that is too long puts the run behind all others, and it has no second trial', () => {
    const { admission, enqueue, place, order } = admissionFor(2);
    enqueue('long', 'short');
    const long = place();
    if (long?.trial === undefined) throw new Error('not on trial');
    long.cpuMs = 30;
    admission.putBack(long);
    expect([long.state, long.cpuMs, long.trial]).toEqual(['queued', 0, undefined]);
    enqueue('shorter');
    expect(order()).toEqual(['short', 'shorter', 'long']);
    expect(long.trial).toBeUndefined();
  });

  it('that failed keeps the run from the last worker while several principals occupy the others', () => {
    const { admission, hold, addWorker, enqueue, place, end, order } = admissionFor(3);
    hold('a', 'b');
    addWorker();
    const [long] = enqueue('long');
    place();
    if (long === undefined) throw new Error('no run');
    admission.putBack(long);
    enqueue('short');
    expect(order()).toEqual(['short']);
    end(long, 0);
    expect(admission.queued).toBe(0);
  });
});

describe('long slices', () => {
  const give = Symbol();
  /** A pool of workers with active slices, `long` or `short`, and which of them let others go first. */
  function poolOf(...kinds: ('long' | 'short')[]) {
    const events = { message: () => undefined, lost: () => undefined, ready: () => undefined };
    const pool = new Pool({} as never, { base: 0, max: 8, nice: 0 }, events, () => undefined);
    const add = (kind: 'long' | 'short') => {
      const control = new SharedArrayBuffer(12);
      const worker = Object.assign(new PoolWorker({} as never, control), { [give]: new Int32Array(control) });
      pool.workers.push(worker);
      pool.beginSlice(worker, 1_000);
      if (worker.slice !== undefined) worker.slice.held = kind === 'long';
      pool.endSlice(new PoolWorker({} as never, new SharedArrayBuffer(12))); // all slices are checked again
      return worker;
    };
    const workers = kinds.map(add);
    return { pool, add, workers, giveWay: () => workers.map(worker => worker[give][2] === 1) };
  }

  it('all let a short slice go first until it has ended', () => {
    const { pool, add, giveWay } = poolOf('long', 'long');
    expect(giveWay()).toEqual([false, false]);
    const short = add('short');
    expect(giveWay()).toEqual([true, true]);
    const second = add('short');
    pool.endSlice(short);
    expect(giveWay()).toEqual([true, true]);
    pool.endSlice(second);
    expect(giveWay()).toEqual([false, false]);
  });

  it('do not wait for each other, and short slices do not wait for them', () => {
    const { pool, add, workers, giveWay } = poolOf('long', 'short');
    const other = add('short');
    expect(giveWay()).toEqual([true, false]);
    for (const worker of [workers[1], other]) if (worker?.slice !== undefined) worker.slice.held = true;
    pool.lookAtSlices();
    expect(giveWay()).toEqual([false, false]);
  });

  it('stop waiting when they are asked to stop', () => {
    const { add, workers, giveWay } = poolOf('long');
    add('short');
    workers[0]?.requestStop(0);
    expect(giveWay()).toEqual([false]);
  });
});
