// No caller blocks another: during each attack /healthz responds, a bystander is served, and the process survives with
// the heap and the memory of deploy/kubernetes. The limits are generous, because the machine may be busy; the
// measurements are printed.
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
/** Maximum CPU time of the main thread in that time, if the system measures it. */
const MAX_RAN_MS = 400;
/** The bystander's p50 during an attack may be this many times that without, plus this. */
const MAX_SLOWDOWN = 10;
const SLACK_MS = 1_000;
/** A shorter attack is repeated, so that the bystander's p50 is of many calls, all during the attack. */
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
  expect(attacked.failed, figures).toBeLessThanOrEqual(attacked.answered / 2);
});
