// Three replicas behind HAProxy, under load all the time, while replicas go: killed, restarted, all in turn.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type LocalCloud, startLocalCloud } from '../../local/server.ts';
import { type Load, startLoad } from './support/load.ts';
import { proxyLacks, type RunningProxy, startProxy } from './support/proxy.ts';
import { type Replica, startReplica } from './support/replica.ts';

const lacks = proxyLacks();
if (lacks !== undefined) console.warn(`SKIPPED: replicas behind a proxy: ${lacks}`);

const CALLERS = 9;
let cloud: LocalCloud;
let replicas: Replica[];
let proxy: RunningProxy;
let load: Load;

const start = (port?: number) =>
  startReplica({
    ...(port !== undefined && { port }),
    env: { E2B_API_URL: cloud.url, E2B_SANDBOX_URL: cloud.url, DRAIN_DELAY_MS: '1000', WORKERS: '1', WARM_UP: 'false' },
  });

describe.skipIf(lacks !== undefined)('three replicas under load', () => {
  beforeAll(async () => {
    cloud = await startLocalCloud({ port: 0, host: '127.0.0.1' });
    replicas = await Promise.all([start(), start(), start()]);
    proxy = await startProxy(replicas);
  });
  afterAll(async () => {
    await proxy.close();
    await Promise.all(replicas.map(replica => replica.end('SIGKILL')));
    await cloud.close();
  });
  beforeEach(async () => {
    load = startLoad(proxy.url, CALLERS);
    await more(CALLERS * 2);
  });
  afterEach(() => load.stop());

  it('one told to go and started again: nothing fails', async () => {
    await restart(0);
    await more(CALLERS * 3);
    expect(await failures()).toEqual([]);
  });

  it('all restarted, one after the other: nothing fails', async () => {
    for (const index of replicas.keys()) await restart(index);
    await more(CALLERS * 3);
    expect(await failures()).toEqual([]);
  });

  it('one killed: only calls it had under way fail, and each says so', async () => {
    const killedAt = performance.now();
    await replicas[0]?.end('SIGKILL');
    await more(CALLERS * 6);
    const failed = (await load.stop()).filter(({ ok }) => !ok);
    expect(failed.length).toBeLessThanOrEqual(CALLERS);
    for (const call of failed) {
      // The kernel takes a moment to end a process: what was sent until then may have been under way.
      expect(call.startedAt).toBeLessThan(killedAt + 100);
      expect(call.endedAt).toBeGreaterThan(killedAt);
      expect(call.status, call.text).toBe(502);
      expect(JSON.parse(call.text).error.message).toMatch(/was lost.*check before sending again/);
    }
    expect(replicas.slice(1).map(({ process }) => process.exitCode)).toEqual([null, null]);
  });
});

const failures = async () =>
  (await load.stop()).filter(({ ok }) => !ok).map(({ status, text }) => `${status} ${text.slice(0, 300)}`);

/** Ends cleanly, and comes back on the same port; the proxy has seen it when calls reach it again. */
async function restart(index: number): Promise<void> {
  const old = replicas[index];
  if (old === undefined) throw new Error(`no replica ${index}`);
  expect(await old.end('SIGTERM'), old.log()).toBe(0);
  replicas[index] = await start(old.port);
  await more(CALLERS * 2);
}

async function more(calls: number): Promise<void> {
  const wanted = load.calls.length + calls;
  await expect.poll(() => load.calls.length, { timeout: 30_000, interval: 20 }).toBeGreaterThanOrEqual(wanted);
}
