// How runs end, and that their sandboxes do not stay: killed after every outcome, or ended by their own timeout when the
// gateway is gone.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LocalCloud } from '../../../local/server.ts';
import type { CallHost, Limits } from '../../../src/engine/engine.ts';
import type { E2bOptions } from '../../../src/engine/microvm/engine.ts';
import { Harness, LIMITS } from '../../contract/harness.ts';
import { ManualClock, PATIENT } from '../../local/support/control.ts';
import { faulty } from '../../support/faults.ts';
import { Faults, KILL, microvmEngine, RUNNER_KEY, startProcessCloud } from '../../support/microvm.ts';

const faults = new Faults();
let cloud: LocalCloud;
beforeAll(async () => {
  cloud = await startProcessCloud(faulty(faults.hook));
});
afterAll(() => cloud.close());

const guest = new Harness();
const log: string[] = [];
const open = (options: Partial<E2bOptions> = {}) =>
  guest.open(async () => microvmEngine(cloud, { log: message => log.push(message), ...options }));
const alive = () => cloud.cloud.all();
const kills = () => faults.seen.filter(request => KILL.test(request)).length;
const never: CallHost = (_call, signal) =>
  new Promise(resolve => signal.addEventListener('abort', () => resolve({ ok: true, json: 'null' })));

afterEach(async () => {
  await guest.close();
  await expect.poll(() => alive().length, PATIENT).toBe(0);
  faults.clear();
  log.length = 0;
});

describe('the sandbox of a run', () => {
  it('is closed to the network, tagged, short-lived and free of secrets', async () => {
    await open({ graceMs: 10_000, startTimeoutMs: 20_000 });
    let seen: unknown;
    const callHost: CallHost = async () => {
      seen = alive().map(({ spec, network, allowInternetAccess, startedAtMs, endAtMs }) => ({
        ...{ network, allowInternetAccess, lifeMs: endAtMs - startedAtMs },
        ...{ metadata: Object.keys(spec.metadata), onTimeout: spec.onTimeout, envVars: spec.envVars },
      }));
      return { ok: true, json: 'null' };
    };
    await guest.value('async () => api.request({})', { callHost });
    expect(seen).toEqual([
      {
        network: { allowPublicTraffic: false, denyOut: ['0.0.0.0/0'] },
        allowInternetAccess: false,
        lifeMs: 20_000 + LIMITS.wallMs + 10_000,
        metadata: ['e2b-code-mode/runner'],
        onTimeout: 'kill',
        envVars: {},
      },
    ]);
  });

  it('is killed after the outcome, which does not wait for it', async () => {
    await open();
    faults.next(KILL, { delayMs: 500 });
    expect(await guest.value('async () => 1')).toBe(1);
    expect(alive().length).toBe(1);
    await expect.poll(() => alive().length, PATIENT).toBe(0);
  });

  it.each<[what: string, source: string, code: string, limits: Partial<Limits>]>([
    ['an error', 'async () => { throw new Error("x") }', '', {}],
    ['a spin', 'async () => { for (;;); }', 'cpu_exceeded', { wallMs: 30_000, cpuMs: 100 }],
    ['the wall deadline', 'async () => api.request({})', 'time_exceeded', { wallMs: 500 }],
  ])('is killed after %s too', async (_what, source, code, limits) => {
    await open();
    const error = await guest.error(source, { callHost: never, limits });
    expect(error.code ?? '').toBe(code);
  });

  it('is killed again if that fails, and the failure is logged', async () => {
    await open();
    faults.next(KILL, { status: 500, body: { code: 500, message: 'oops' } }, 'reset');
    expect(await guest.value('async () => 1')).toBe(1);
    await expect.poll(kills, PATIENT).toBe(3);
    expect(log).toHaveLength(2);
    expect(log[0]).toMatch(/^sandbox i[a-z0-9]{20} could not be killed$/);
  });

  it('when it is killed from outside, the run ends with an error that calls may have taken effect', async () => {
    await open();
    const callHost: CallHost = async (call, signal) => {
      for (const sandbox of alive()) await cloud.cloud.kill(sandbox);
      return never(call, signal);
    };
    const error = await guest.error('async () => api.request({})', { callHost });
    expect(error).toMatchObject({ code: 'engine_lost', message: expect.stringMatching(/may have taken effect/) });
  });

  it('when it does not accept a reply, the run ends', async () => {
    await open();
    faults.always(/SendInput$/, { status: 500, body: { code: 'internal', message: 'oops' } });
    expect(await guest.error('async () => api.request({})')).toMatchObject({ code: 'engine_lost' });
  });

  it('is not started again after its code ran', async () => {
    await open();
    let calls = 0;
    const callHost: CallHost = async (call, signal) => {
      calls += 1;
      for (const sandbox of alive()) await cloud.cloud.kill(sandbox);
      return never(call, signal);
    };
    await guest.error('async () => api.request({})', { callHost });
    expect(calls).toBe(1);
    expect(faults.seen.filter(request => request === 'POST /v2/sandboxes')).toHaveLength(1);
  });
});

describe('the engine', () => {
  it('kills running sandboxes when it is closed, and accepts no more runs', async () => {
    await open();
    const started = [1, 2, 3].map(() => guest.error('async () => api.request({})', { callHost: never }));
    await expect.poll(() => guest.engine.stats().running, PATIENT).toBe(3);
    await guest.close();
    expect(alive()).toEqual([]);
    for (const error of await Promise.all(started)) expect(error).toMatchObject({ code: 'engine_lost' });
    expect(await guest.error('async () => 1')).toMatchObject({ code: 'busy' });
    expect(guest.engine.stats()).toMatchObject({ running: 0, waiting: 0, queued: 0 });
  });

  it('waits for a pending creation when it is closed, and kills the new sandbox', async () => {
    await open();
    faults.next(/^POST \/v2\/sandboxes$/, { delayMs: 300 });
    const started = guest.error('async () => 1');
    await expect.poll(() => faults.seen.includes('POST /v2/sandboxes'), PATIENT).toBe(true);
    await guest.close();
    expect(alive()).toEqual([]);
    expect(kills()).toBe(1);
    expect(await started).toMatchObject({ code: 'engine_lost' });
  });

  it('recognises its own sandboxes while they exist', async () => {
    const engine = microvmEngine(cloud);
    await guest.open(async () => engine);
    let own = '';
    const callHost: CallHost = async () => {
      own = alive()[0]?.sandboxId ?? '';
      return { ok: true, json: String(engine.isRunner(own)) };
    };
    expect(await guest.value('async () => api.request({})', { callHost })).toBe(true);
    expect(engine.isRunner('i00000000000000000000')).toBe(false);
    await expect.poll(() => engine.isRunner(own), PATIENT).toBe(false);
  });

  it('keeps to its limit of sandboxes; other runs wait for a short time, then are rejected as busy', async () => {
    await open({ maxRuns: 1, maxQueued: 1, maxQueueMs: 300 });
    const first = guest.run('async () => api.request({})', { callHost: never, limits: { wallMs: 1_000 } });
    const [second, third] = [guest.error('async () => 2'), guest.error('async () => 3')];
    expect(await third).toMatchObject({ code: 'busy', retryAfterMs: expect.any(Number) });
    expect(await second).toMatchObject({ code: 'busy' });
    const fourth = new AbortController();
    const waiting = guest.error('async () => 4', { signal: fourth.signal });
    fourth.abort();
    expect(await waiting).toMatchObject({ code: 'cancelled' });
    expect(await first).toMatchObject({ error: { code: 'time_exceeded' } });
    expect(faults.seen.filter(request => request === 'POST /v2/sandboxes')).toHaveLength(1);
    expect(await guest.value('async () => 5')).toBe(5);
  });
});

describe('a gateway that is killed', () => {
  it('leaves no sandbox after the time limit and the grace', async () => {
    const clock = new ManualClock();
    const far = await startProcessCloud({ clock });
    const engineUrl = new URL('../../../dist/engine/microvm/engine.js', import.meta.url);
    const child = spawn(process.execPath, [
      fileURLToPath(new URL('../../support/microvm-child.mjs', import.meta.url)),
      ...[engineUrl.href, far.url, RUNNER_KEY],
    ]);
    let said = '';
    child.stdout.on('data', (text: Buffer) => {
      said += text.toString();
    });
    await expect.poll(() => said, PATIENT).toContain('running');
    expect(far.cloud.all()).toHaveLength(2);
    const ended = new Promise(resolve => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    clock.advance(20_000 + 60_000 + 10_000 - 1);
    expect(far.cloud.all()).toHaveLength(2);
    clock.advance(1);
    await expect.poll(() => far.cloud.all().length, PATIENT).toBe(0);
    await far.close();
  });
});
