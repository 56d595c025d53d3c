// The embedded engine under hundreds of runs: capacity, fairness, and that nothing is left afterwards.
import { describe, expect, it } from 'vitest';
import { codeOf, delayed, HOG, start, THREE_CALLS, until, useEngine } from '../support/engine-runs.ts';

const openEngine = useEngine();

describe('the embedded engine under hundreds of runs', () => {
  it('completes hundreds of waiting runs on two workers', async () => {
    const on = await openEngine({ workers: 2, maxWorkers: 2 });
    const runs = Array.from({ length: 200 }, () => start(on, THREE_CALLS));
    expect(on.stats().workers).toBe(2);
    for (const outcome of await Promise.all(runs)) expect(outcome).toMatchObject({ status: 'completed', json: '3' });
    expect(on.stats()).toMatchObject({ running: 0, waiting: 0, queued: 0 });
  });

  it('five hundred runs of one principal do not block another', async () => {
    const on = await openEngine({ workers: 2, maxWorkers: 2, maxQueued: 600, maxQueueMs: 60_000 });
    let done = 0;
    const many = Array.from({ length: 500 }, () =>
      start(on, 'async () => { let s = 0; for (let i = 0; i < 20000; i++) s += i; return s }', { as: 'many' }).then(
        () => done++,
      ),
    );
    expect(codeOf(await start(on, 'async () => 1', { as: 'one' }))).toBe('completed');
    expect(done).toBeLessThan(100);
    await Promise.all(many);
  });

  it('limits the memory of waiting guests', async () => {
    const on = await openEngine({ workers: 2, maxWorkers: 2, maxParkedBytes: 20 << 20, maxQueueMs: 60_000 });
    const heavy = 'async () => { const k = new Uint8Array(8e6).fill(7); await api.request({}); return k[5] }';
    const before = process.memoryUsage().rss;
    const outcomes = await Promise.all(Array.from({ length: 40 }, () => start(on, heavy, { callHost: delayed(100) })));
    for (const outcome of outcomes) expect(['completed', 'memory_exceeded']).toContain(codeOf(outcome));
    expect(outcomes.filter(outcome => outcome.status === 'completed').length).toBeGreaterThan(10);
    expect(process.memoryUsage().rss - before).toBeLessThan(400 << 20);
  });

  it('frees all memory and workers after a burst of runs', async () => {
    const on = await openEngine({ workers: 2, maxWorkers: 3 });
    const storm = async () => {
      const kinds = [
        THREE_CALLS,
        'async () => new Uint8Array(3e6).length',
        'async () => { throw new Error("x") }',
        'async () => new Promise(() => {})',
      ];
      await Promise.all(
        Array.from({ length: 240 }, (_, i) =>
          start(on, kinds[i % kinds.length] ?? '', { as: `p${i % 5}`, callHost: delayed(1) }),
        ),
      );
    };
    await storm();
    await storm();
    const settled = process.memoryUsage().rss;
    for (let i = 0; i < 3; i++) await storm();
    // Discarded memory is collected a little later; if it is not, this never ends.
    await until(() => process.memoryUsage().rss - settled < 60 << 20);
    expect(on.stats()).toMatchObject({ running: 0, waiting: 0, queued: 0 });
  });

  it('keeps the event loop responsive while guests compute, flood and make calls', async () => {
    const on = await openEngine({ workers: 2, maxWorkers: 3 });
    const flood =
      'async () => { for (let i = 0; i < 500; i++) { console.log("x".repeat(500)); await api.request({ i }) } }';
    const busy = [HOG, flood, flood, flood].map(source =>
      start(on, source, { callHost: delayed(0), limits: { cpuMs: 1_000 } }),
    );
    let turns = 0;
    const beat = setInterval(() => turns++, 5);
    await Promise.all(busy);
    clearInterval(beat);
    expect(turns).toBeGreaterThan(10); // about 200 are possible in the time; a blocked event loop has one or two
  });
});
