// The embedded engine with several guests: long computations, full queues, cancelled callers, dying workers. Tests with hundreds
// of runs are in test/stall/engine.test.ts.
import { describe, expect, it } from 'vitest';
import type { CallHost, Engine } from '../../src/engine/engine.ts';
import { codeOf, delayed, HOG, start, THREE_CALLS, until, useEngine } from '../support/engine-runs.ts';

/** A built-in that never checks for interrupts, so that only ending its worker stops it. */
const STUCK = 'async () => { const a = []; a[4294967290] = 1; a.reverse() }';

const openEngine = useEngine();

/** Computes until its caller disconnects. */
function startHog(on: Engine) {
  const caller = new AbortController();
  const outcome = start(on, HOG, { signal: caller.signal, limits: { cpuMs: 60_000, wallMs: 60_000 } });
  return { outcome, leave: () => caller.abort() };
}

describe('the embedded engine under load', () => {
  it('keeps the state of a parked guest: variables, closures, timers, large values', async () => {
    const on = await openEngine({ workers: 2, maxWorkers: 2 });
    const source = (n: number) => `async () => {
      const big = Array.from({ length: 20000 }, (_, i) => i * ${n});
      let ticks = 0;
      const every = setInterval(() => ticks++, 10);
      const before = big.reduce((a, b) => a + b, 0);
      for (let i = 0; i < 4; i++) await api.request({ i, pad: 'x'.repeat(1000) });
      clearInterval(every);
      return [big.reduce((a, b) => a + b, 0) === before, big[19999], ticks > 0];
    }`;
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, (_, n) => start(on, source(n), { limits: { wallMs: 30_000 } })),
    );
    outcomes.forEach((outcome, n) => {
      expect(outcome).toMatchObject({ status: 'completed', json: JSON.stringify([true, 19999 * n, true]) });
    });
  });

  it.each([
    ['that loop', HOG],
    ['stuck in a built-in', STUCK],
  ])('long computations %s do not delay other runs', async (_what, source) => {
    const on = await openEngine({ workers: 3, maxWorkers: 4 });
    const caller = new AbortController();
    const hog = () =>
      start(on, source, { as: 'hog', signal: caller.signal, limits: { cpuMs: 60_000, wallMs: 60_000 } });
    const hogs = [hog(), hog()];
    await until(() => on.stats().running === 2);
    const others = await Promise.all(Array.from({ length: 16 }, () => start(on, THREE_CALLS, { as: 'b' })));
    for (const outcome of others) expect(outcome.status).toBe('completed');
    expect(on.stats().running).toBe(2); // the computations still run
    caller.abort();
    expect((await Promise.all(hogs)).map(codeOf)).toEqual(['cancelled', 'cancelled']);
    expect(codeOf(await start(on, 'async () => 1'))).toBe('completed');
  });

  it('one principal can never occupy all workers', async () => {
    const on = await openEngine({ workers: 2, maxWorkers: 3 });
    const hogs = Array.from({ length: 6 }, () =>
      start(on, HOG, { as: 'hog', limits: { cpuMs: 60_000, wallMs: 60_000 } }),
    );
    await until(() => on.stats().workers === 3);
    for (let i = 0; i < 5; i++) expect(codeOf(await start(on, THREE_CALLS, { as: 'b' }))).toBe('completed');
    expect(on.stats().queued).toBeGreaterThan(1);
    await on.close();
    await Promise.all(hogs);
  });

  it('serves a newcomer although more keys compute without end than there are workers', async () => {
    const on = await openEngine({ workers: 2, maxWorkers: 4, maxQueueMs: 60_000 });
    const caller = new AbortController();
    const hogs = Array.from({ length: 8 }, (_, i) =>
      start(on, HOG, { as: `hog ${i}`, signal: caller.signal, limits: { cpuMs: 60_000, wallMs: 60_000 } }),
    );
    for (let i = 0; i < 5; i++) expect(codeOf(await start(on, THREE_CALLS, { as: `new ${i}` }))).toBe('completed');
    expect(on.stats().queued).toBeGreaterThan(3); // those who do not find a worker are among the eight
    caller.abort();
    expect((await Promise.all(hogs)).map(codeOf)).toEqual(Array(8).fill('cancelled'));
  });

  it('serves a known caller although more keys are stuck in built-ins than there are workers', async () => {
    const on = await openEngine({ workers: 2, maxWorkers: 4, maxQueueMs: 60_000 });
    expect(codeOf(await start(on, THREE_CALLS, { as: 'known' }))).toBe('completed');
    const caller = new AbortController();
    const hogs = Array.from({ length: 8 }, (_, i) =>
      start(on, STUCK, { as: `hog ${i}`, signal: caller.signal, limits: { cpuMs: 60_000, wallMs: 60_000 } }),
    );
    for (let i = 0; i < 5; i++) expect(codeOf(await start(on, THREE_CALLS, { as: 'known' }))).toBe('completed');
    expect(on.stats()).toMatchObject({ waiting: 0 });
    caller.abort();
    expect((await Promise.all(hogs)).map(codeOf)).toEqual(Array(8).fill('cancelled'));
  });

  it('makes each call once and keeps each line once, although long runs of newcomers are put back', async () => {
    const on = await openEngine({ workers: 2, maxWorkers: 3, maxQueueMs: 60_000 });
    const long =
      'async () => { const call = api.request({}); console.log("line"); for (let i = 0; i < 1e6; i++); await call; return 3 }';
    let calls = 0;
    const callHost: CallHost = async () => {
      calls += 1;
      return { ok: true, json: '{}' };
    };
    const runs = Array.from({ length: 8 }, (_, i) => start(on, long, { as: `new ${i}`, callHost }));
    for (const outcome of await Promise.all(runs)) expect(outcome).toMatchObject({ json: '3', stdout: 'line\n' });
    expect(calls).toBe(8);
  });

  it('a run whose replies come while it computes lets another caller go first', async () => {
    const on = await openEngine({ workers: 1, maxWorkers: 1 });
    const code = `async () => {
      const work = async () => {
        for (let i = 0; i < 250; i++) {
          await api.request({ i });
          for (let j = 0; j < 2_000; j++);
        }
      };
      await Promise.all(Array.from({ length: 8 }, work));
    }`;
    let calls = 0;
    const callHost: CallHost = async () => {
      await new Promise(resolve => setImmediate(resolve));
      calls += 1;
      return { ok: true, json: '{"status":200}' };
    };
    for (const as of ['many', 'one', 'one']) await start(on, 'async () => 1', { as }); // known callers, see fair-shares.ts
    const many = start(on, code, { as: 'many', callHost, limits: { cpuMs: 10_000 } });
    await until(() => calls > 0);
    const before = calls;
    expect(await start(on, 'async () => 1', { as: 'one' })).toMatchObject({ status: 'completed', json: '1' });
    expect(calls - before).toBeLessThan(250); // about 16; nearly all if it only goes when no reply is there
    expect(codeOf(await many)).toBe('completed');
  });

  it('when the queue is full, rejects a run of the key that fills it, as busy and at once', async () => {
    const on = await openEngine({ workers: 1, maxWorkers: 1, maxQueued: 10, maxQueueMs: 60_000 });
    const hog = startHog(on);
    await until(() => on.stats().running === 1);
    const queued = Array.from({ length: 10 }, () => start(on, 'async () => 1'));
    const refused = await start(on, 'async () => 1');
    expect(refused).toMatchObject({ status: 'failed', error: { code: 'busy', retryAfterMs: expect.any(Number) } });
    const other = start(on, 'async () => 2', { as: 'b' }); // replaces a run of a in the queue
    expect(on.stats()).toMatchObject({ running: 1, queued: 10 });
    hog.leave();
    expect(codeOf(await other)).toBe('completed');
    expect((await Promise.all(queued)).map(codeOf).sort()).toEqual(['busy', ...Array(9).fill('completed')]);
    await hog.outcome;
  });

  it('does not keep a run in the queue forever', async () => {
    const on = await openEngine({ workers: 1, maxWorkers: 1, maxQueueMs: 100 });
    const hog = startHog(on);
    await until(() => on.stats().running === 1);
    expect(codeOf(await start(on, 'async () => 1'))).toBe('busy');
    expect(on.stats().running).toBe(1);
    hog.leave();
    await hog.outcome;
  });

  it('frees the worker of a disconnected caller and aborts its calls, while others continue', async () => {
    const on = await openEngine({ workers: 1, maxWorkers: 1 });
    for (const source of [HOG, STUCK, THREE_CALLS]) {
      const caller = new AbortController();
      const gone = start(on, source, { signal: caller.signal, callHost: delayed(5_000), limits: { cpuMs: 5_000 } });
      await until(() => on.stats().running + on.stats().waiting > 0);
      const next = start(on, 'async () => 5', { as: 'b' });
      caller.abort();
      expect(codeOf(await gone)).toBe('cancelled');
      expect(await next).toMatchObject({ status: 'completed', json: '5' });
    }
  });

  it('continues with a spare worker at once after a kill, and replaces the dead one', async () => {
    const on = await openEngine({ workers: 2, maxWorkers: 2 });
    const killed = start(on, STUCK, { limits: { cpuMs: 100 } });
    expect(codeOf(await killed)).toBe('cpu_exceeded');
    expect(codeOf(await start(on, 'async () => 1'))).toBe('completed');
    await until(() => on.stats().workers === 2);
  });

  it('a run whose worker dies ends as lost, and the host continues', async () => {
    const on = await openEngine({ workers: 2, maxWorkers: 2 });
    const waiting = start(on, 'async () => { await api.request({}); return 1 }', { callHost: delayed(300) });
    const stuck = start(on, STUCK, { limits: { cpuMs: 100 } });
    expect([codeOf(await stuck), codeOf(await waiting)]).toEqual(['cpu_exceeded', 'completed']);
  });

  it('when it is closed under load, every run gets an outcome', async () => {
    const on = await openEngine({ workers: 3, maxWorkers: 3 });
    const hogs = [HOG, STUCK].map(source => start(on, source, { as: 'hog', limits: { cpuMs: 5_000 } }));
    const waiting = Array.from({ length: 40 }, () => start(on, THREE_CALLS, { callHost: delayed(500) }));
    await until(() => on.stats().waiting > 5);
    await on.close();
    for (const outcome of await Promise.all([...hogs, ...waiting]))
      expect(['engine_lost', 'busy']).toContain(codeOf(outcome));
    expect(codeOf(await start(on, 'async () => 1'))).toBe('busy');
  });
});
