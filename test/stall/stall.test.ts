// No caller holds up another: while each attack runs, /healthz answers, a bystander is served, and the process lives, on
// the heap and within the memory that deploy/kubernetes gives. Bounds are generous: they tell an order of magnitude on a busy machine, and
// what was measured is printed.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { newKey } from '../support/gateway.ts';
import type { Replica } from '../survive/support/replica.ts';
import { ATTACKS } from './attacks/all.ts';
import type { Attack } from './attacks/attack.ts';
import { LIMIT_MB, useStallGateway } from './support/gateway.ts';
import { watch } from './support/probe.ts';
import { mainThread, peakMemoryMb } from './support/process.ts';
import { toolCall } from './support/send.ts';

const MAX_SILENCE_MS = 4_000;
/** What the main thread may run in it, where the system counts that. */
const MAX_RAN_MS = 600;
/** Of the bystander's p50 without an attack, and beside it. */
const MAX_SLOWDOWN = 10;
const SLACK_MS = 2_000;
/** An attack that is over sooner is made again: the bystander's p50 is of many calls, all of them beside it. */
const MIN_ATTACK_MS = 4_000;

const stall = useStallGateway();

async function measure(attack: Attack, gateway: Replica) {
  stall.answers = attack.answers ?? {};
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
  const gateway = attack.microvm === true ? stall.microvm : stall.embedded;
  const { calm, attacked, ranMs, waitedMs } = await measure(attack, gateway);
  const { silenceMs, inSilence } = attacked;
  const figures = `silence ${silenceMs.toFixed(0)} ms (main thread ran ${inSilence.ranMs.toFixed(0)}, waited ${inSilence.waitedMs.toFixed(0)}), bystander p50 ${calm.p50Ms.toFixed(1)} → ${attacked.p50Ms.toFixed(1)} ms, ${attacked.answered} calls, ${attacked.failed} failed; main thread: ran ${ranMs} ms, waited ${waitedMs} ms for a processor; peak ${peakMemoryMb(gateway.process.pid)} MB`;
  console.log(`${attack.name}: ${figures}`);
  expect(gateway.process.exitCode, gateway.log().slice(-2_000)).toBeNull();
  expect(gateway.process.signalCode, gateway.log().slice(-2_000)).toBeNull();
  expect(peakMemoryMb(gateway.process.pid), figures).toBeLessThan(LIMIT_MB);
  expect(silenceMs, figures).toBeLessThan(MAX_SILENCE_MS);
  expect(inSilence.ranMs, figures).toBeLessThan(MAX_RAN_MS);
  expect(attacked.p50Ms, figures).toBeLessThan(calm.p50Ms * MAX_SLOWDOWN + SLACK_MS);
  expect(attacked.failed, figures).toBeLessThanOrEqual(attacked.answered);
});
