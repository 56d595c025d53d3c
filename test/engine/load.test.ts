// The embedded engine with many guests at once: hogs, floods of runs, cancelled callers, and what is left afterwards.
import { afterEach, describe, expect, it } from 'vitest';
import type { CallHost, Engine, Job, Limits, Outcome } from '../../src/engine/engine.ts';
import { createQuickjsEngine, type QuickjsOptions } from '../../src/engine/quickjs/engine.ts';
import { principalFromKey } from '../../src/principal.ts';
import { DESCRIPTION, LIMITS } from '../contract/harness.ts';

let engine: Engine | undefined;

async function open(options: Partial<QuickjsOptions> = {}): Promise<Engine> {
  engine = await createQuickjsEngine({ descriptionJson: DESCRIPTION, warm: false, ...options });
  return engine;
}

afterEach(async () => {
  await engine?.close();
  engine = undefined;
});

const delayed =
  (ms: number): CallHost =>
  () =>
    new Promise(resolve => setTimeout(() => resolve({ ok: true, json: '{"status":200}' }), ms));

type Options = Partial<Omit<Job, 'limits'>> & { limits?: Partial<Limits>; as?: string };

function start(on: Engine, source: string, { limits, as = 'a', ...rest }: Options = {}): Promise<Outcome> {
  return on.run({
    source,
    surface: 'write',
    callHost: delayed(20),
    limits: { ...LIMITS, ...limits },
    signal: new AbortController().signal,
    principal: { ...principalFromKey(''), id: as },
    ...rest,
  });
}

const codeOf = (outcome: Outcome) => (outcome.status === 'failed' ? outcome.error.code : outcome.status);

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 5));
}

const THREE_CALLS = 'async () => { for (let i = 0; i < 3; i++) await api.request({ i }); return 3 }';
const HOG = 'async () => { while (true) {} }';
/** One built-in that never looks up: only ending its worker stops it. */
const STUCK = 'async () => { const a = []; a[4294967290] = 1; a.reverse() }';

describe('the embedded engine under load', () => {
  it('carries hundreds of waiting runs on two workers', async () => {
    const on = await open({ workers: 2, maxWorkers: 2 });
    const runs = Array.from({ length: 200 }, () => start(on, THREE_CALLS));
    expect(on.stats().workers).toBe(2);
    for (const outcome of await Promise.all(runs)) expect(outcome).toMatchObject({ status: 'completed', json: '3' });
    expect(on.stats()).toMatchObject({ running: 0, waiting: 0, queued: 0 });
  });

  it('keeps what a parked guest holds: variables, closures, timers, big values', async () => {
    const on = await open({ workers: 2, maxWorkers: 2 });
    const source = (n: number) => `async () => {
      const big = Array.from({ length: 20000 }, (_, i) => i * ${n});
      let ticks = 0;
      const every = setInterval(() => ticks++, 5);
      const before = big.reduce((a, b) => a + b, 0);
      for (let i = 0; i < 4; i++) await api.request({ i, pad: 'x'.repeat(1000) });
      clearInterval(every);
      return [big.reduce((a, b) => a + b, 0) === before, big[19999], ticks > 0];
    }`;
    const outcomes = await Promise.all(Array.from({ length: 24 }, (_, n) => start(on, source(n))));
    outcomes.forEach((outcome, n) => {
      expect(outcome).toMatchObject({ status: 'completed', json: JSON.stringify([true, 19999 * n, true]) });
    });
  });

  it.each([
    ['that loop', HOG],
    ['stuck in a built-in', STUCK],
  ])('hogs %s do not delay other runs', async (_what, source) => {
    const on = await open({ workers: 3, maxWorkers: 4 });
    const caller = new AbortController();
    const hog = () =>
      start(on, source, { as: 'hog', signal: caller.signal, limits: { cpuMs: 60_000, wallMs: 60_000 } });
    const hogs = [hog(), hog()];
    await until(() => on.stats().running === 2);
    const others = await Promise.all(Array.from({ length: 16 }, () => start(on, THREE_CALLS, { as: 'b' })));
    for (const outcome of others) expect(outcome.status).toBe('completed');
    expect(on.stats().running).toBe(2); // the hogs are still at it
    caller.abort();
    expect((await Promise.all(hogs)).map(codeOf)).toEqual(['cancelled', 'cancelled']);
    expect(codeOf(await start(on, 'async () => 1'))).toBe('completed');
  });

  it('one principal can never hold all workers', async () => {
    const on = await open({ workers: 2, maxWorkers: 3 });
    const hogs = Array.from({ length: 6 }, () => start(on, HOG, { as: 'hog', limits: { cpuMs: 1_500 } }));
    await until(() => on.stats().workers === 3);
    for (let i = 0; i < 5; i++) expect(codeOf(await start(on, THREE_CALLS, { as: 'b' }))).toBe('completed');
    expect(on.stats().queued).toBeGreaterThan(1);
    await on.close();
    await Promise.all(hogs);
  });

  it('five hundred runs of one principal do not starve another', async () => {
    const on = await open({ workers: 2, maxWorkers: 2, maxQueued: 600, maxQueueMs: 60_000 });
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

  it('rejects as busy at once when the queue is full, and rejects the key that fills it', async () => {
    const on = await open({ workers: 1, maxWorkers: 1, maxQueued: 10 });
    const hog = start(on, HOG, { limits: { cpuMs: 600 } });
    await until(() => on.stats().running === 1);
    let hogDone = false;
    void hog.then(() => {
      hogDone = true;
    });
    const queued = Array.from({ length: 10 }, () => start(on, 'async () => 1'));
    const refused = await start(on, 'async () => 1');
    expect(refused).toMatchObject({ status: 'failed', error: { code: 'busy', retryAfterMs: expect.any(Number) } });
    const other = start(on, 'async () => 2', { as: 'b' }); // takes the place of one of a's
    expect(on.stats().queued).toBe(10);
    expect(hogDone).toBe(false);
    expect(codeOf(await other)).toBe('completed');
    expect((await Promise.all(queued)).map(codeOf).sort()).toEqual(['busy', ...Array(9).fill('completed')]);
    await hog;
  });

  it('does not keep a run in the queue for ever', async () => {
    const on = await open({ workers: 1, maxWorkers: 1, maxQueueMs: 100 });
    const hog = start(on, HOG, { limits: { cpuMs: 700 } });
    expect(codeOf(await start(on, 'async () => 1'))).toBe('busy');
    expect(on.stats().running).toBe(1);
    await hog;
  });

  it('bounds the memory of waiting guests', async () => {
    const on = await open({ workers: 2, maxWorkers: 2, maxParkedBytes: 20 << 20, maxQueueMs: 60_000 });
    const heavy = 'async () => { const k = new Uint8Array(8e6).fill(7); await api.request({}); return k[5] }';
    const before = process.memoryUsage().rss;
    const outcomes = await Promise.all(Array.from({ length: 40 }, () => start(on, heavy, { callHost: delayed(100) })));
    for (const outcome of outcomes) expect(['completed', 'memory_exceeded']).toContain(codeOf(outcome));
    expect(outcomes.filter(outcome => outcome.status === 'completed').length).toBeGreaterThan(10);
    expect(process.memoryUsage().rss - before).toBeLessThan(400 << 20);
  });

  it('frees the worker of a caller who left, and stops its calls, while others go on', async () => {
    const on = await open({ workers: 1, maxWorkers: 1 });
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

  it('goes on with a spare worker at once after a kill, and replaces the dead one', async () => {
    const on = await open({ workers: 2, maxWorkers: 2 });
    const killed = start(on, STUCK, { limits: { cpuMs: 100 } });
    expect(codeOf(await killed)).toBe('cpu_exceeded');
    expect(codeOf(await start(on, 'async () => 1'))).toBe('completed');
    await until(() => on.stats().workers === 2);
  });

  it('runs whose worker dies under them end, as lost, and the host lives on', async () => {
    const on = await open({ workers: 2, maxWorkers: 2 });
    const waiting = start(on, 'async () => { await api.request({}); return 1 }', { callHost: delayed(300) });
    const stuck = start(on, STUCK, { limits: { cpuMs: 100 } });
    expect([codeOf(await stuck), codeOf(await waiting)]).toEqual(['cpu_exceeded', 'completed']);
  });

  it('closes under load: every run is answered', async () => {
    const on = await open({ workers: 3, maxWorkers: 3 });
    const hogs = [HOG, STUCK].map(source => start(on, source, { as: 'hog', limits: { cpuMs: 5_000 } }));
    const waiting = Array.from({ length: 40 }, () => start(on, THREE_CALLS, { callHost: delayed(500) }));
    await until(() => on.stats().waiting > 5);
    await on.close();
    for (const outcome of await Promise.all([...hogs, ...waiting]))
      expect(['engine_lost', 'busy']).toContain(codeOf(outcome));
    expect(codeOf(await start(on, 'async () => 1'))).toBe('busy');
  });

  it('leaves nothing behind after a storm', async () => {
    const on = await open({ workers: 2, maxWorkers: 3 });
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
    // What is discarded is collected a moment later: memory comes back, or this never ends.
    await until(() => process.memoryUsage().rss - settled < 60 << 20);
    expect(on.stats()).toMatchObject({ running: 0, waiting: 0, queued: 0 });
  });

  it('leaves the event loop free while guests compute, flood and talk', async () => {
    const on = await open({ workers: 2, maxWorkers: 3 });
    const flood =
      'async () => { for (let i = 0; i < 500; i++) { console.log("x".repeat(500)); await api.request({ i }) } }';
    const busy = [HOG, flood, flood, flood].map(source =>
      start(on, source, { callHost: delayed(0), limits: { cpuMs: 1_000 } }),
    );
    let turns = 0;
    const beat = setInterval(() => turns++, 5);
    await Promise.all(busy);
    clearInterval(beat);
    expect(turns).toBeGreaterThan(10); // of some 200 there would be time for; a blocked loop has one or two
  });
});
