// Three replicas behind HAProxy under constant load, while replicas are killed or restarted.
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
    cloud = await startLocalCloud({ port: 0 });
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

  it('no call fails when one replica is restarted', async () => {
    await restart(0);
    await more(CALLERS * 3);
    expect(await failures()).toEqual([]);
  });

  it('no call fails when all are restarted one after the other', async () => {
    for (const index of replicas.keys()) await restart(index);
    await more(CALLERS * 3);
    expect(await failures()).toEqual([]);
  });

  it('only the open calls of a killed replica fail, each with an error that says so', async () => {
    const killedAt = performance.now();
    await replicas[0]?.end('SIGKILL');
    await more(CALLERS * 6);
    const failed = (await load.stop()).filter(({ ok }) => !ok);
    expect(failed.length).toBeLessThanOrEqual(CALLERS);
    for (const call of failed) {
      // The kernel takes a moment to end a process, so calls that were sent until then may have been open.
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

/** Stops a replica and starts it on the same port. */
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
