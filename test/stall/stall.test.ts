// No caller holds up another: while each attack runs, /healthz answers, a bystander is served, and the process lives, on
// the heap that a 1 GiB container gives. Bounds are generous: they tell an order of magnitude on a busy machine, and
// what was measured is printed.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newKey } from '../support/gateway.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';
import { type Replica, startReplica } from '../survive/support/replica.ts';
import { type Answer, ATTACKS, type Attack } from './attacks.ts';
import { watch } from './support/probe.ts';
import { mainThread, peakMemoryMb } from './support/process.ts';
import { toolCall } from './support/send.ts';

const MAX_SILENCE_MS = 4_000;
/** Of the bystander's p50 without an attack, and beside it. */
const MAX_SLOWDOWN = 10;
const SLACK_MS = 2_000;
const HEAP_MB = 512;
/** An attack that is over sooner is made again: the bystander's p50 is of many calls, all of them beside it. */
const MIN_ATTACK_MS = 4_000;

let upstream: TestUpstream;
let gateways: { readonly embedded: Replica; readonly microvm: Replica };
let answers: Readonly<Record<string, Answer>> = {};

beforeAll(async () => {
  upstream = await startUpstream();
  upstream.answer = (request, response) => {
    const found = answers[request.url.split('?')[0] ?? ''];
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': found?.type ?? 'application/json' });
    setTimeout(() => response.end(found?.body ?? '{"code":404,"message":"not here"}'), found?.afterMs ?? 0);
  };
  const start = (engine: string) =>
    startReplica({
      nodeArgs: [`--max-old-space-size=${HEAP_MB}`],
      env: {
        ...{ E2B_API_URL: upstream.url, E2B_SANDBOX_URL: upstream.url, SANDBOX_ENGINE: engine },
        ...{ WARM_UP: 'true', MAX_PARALLEL_PER_KEY: '100' },
      },
    });
  gateways = { embedded: await start('quickjs'), microvm: await start('e2b') };
  await sleep(1_500); // warm-up threads are done by then; no assertion rests on it
});
afterAll(async () => {
  await Promise.all(Object.values(gateways).map(gateway => gateway.end('SIGKILL')));
  await upstream.close();
});

async function measure(attack: Attack, gateway: Replica) {
  answers = attack.answers ?? {};
  const call =
    attack.bystander === undefined ? toolCall('search', 'async () => 1') : toolCall('execute_read', attack.bystander);
  const { url, process } = gateway;
  const before = watch({ url, pid: process.pid, key: newKey(), call });
  await sleep(1_000);
  const calm = await before.stop();
  const during = watch({ url, pid: process.pid, key: newKey(), call });
  const cpuBefore = mainThread(process.pid);
  const until = performance.now() + MIN_ATTACK_MS;
  do await attack.send(gateway);
  while (performance.now() < until);
  const attacked = await during.stop();
  const cpu = mainThread(process.pid);
  return { calm, attacked, ranMs: cpu.ranMs - cpuBefore.ranMs, waitedMs: cpu.waitedMs - cpuBefore.waitedMs };
}

it.each(ATTACKS)('$name', async attack => {
  const gateway = attack.microvm === true ? gateways.microvm : gateways.embedded;
  const { calm, attacked, ranMs, waitedMs } = await measure(attack, gateway);
  const { silenceMs, inSilence } = attacked;
  const figures = `silence ${silenceMs.toFixed(0)} ms (main thread ran ${inSilence.ranMs.toFixed(0)}, waited ${inSilence.waitedMs.toFixed(0)}), bystander p50 ${calm.p50Ms.toFixed(1)} → ${attacked.p50Ms.toFixed(1)} ms, ${attacked.answered} calls, ${attacked.failed} failed; main thread: ran ${ranMs} ms, waited ${waitedMs} ms for a processor; peak ${peakMemoryMb(gateway.process.pid)} MB`;
  console.log(`${attack.name}: ${figures}`);
  expect(gateway.process.exitCode, gateway.log().slice(-2_000)).toBeNull();
  expect(gateway.process.signalCode, gateway.log().slice(-2_000)).toBeNull();
  expect(silenceMs, figures).toBeLessThan(MAX_SILENCE_MS);
  expect(attacked.p50Ms, figures).toBeLessThan(calm.p50Ms * MAX_SLOWDOWN + SLACK_MS);
  expect(attacked.failed, figures).toBeLessThanOrEqual(attacked.answered);
});
