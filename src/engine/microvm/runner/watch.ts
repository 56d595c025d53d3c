// The runner's second thread in the sandbox: measures the CPU time and memory of the process, and ends the run if it uses too
// much, even while the main thread is blocked. Nothing is cleaned up, because the engine kills the sandbox.
import { workerData } from 'node:worker_threads';
import type { RunnerEnd } from '../wire.ts';
import type { WatchData } from './job.ts';
import { Shared } from './shared.ts';

const { shared: buffer, job } = workerData as WatchData;
const shared = new Shared(buffer);

const WATCH_MS = 10;
/** How much Node's own memory may grow while the guest stays within its limit. */
const SLACK_BYTES = 64 * 1024 * 1024;
const NEARLY_FULL = 0.75;

function overuse(used: { cpuMs: number; memoryBytes: number }): RunnerEnd | undefined {
  if (used.memoryBytes > job.memoryBytes + SLACK_BYTES) return 'memory';
  if (used.cpuMs <= job.cpuMs) return undefined;
  // When its memory is almost full, a guest spends its time on garbage collection.
  return used.memoryBytes > job.memoryBytes * NEARLY_FULL ? 'memory' : 'cpu';
}

const watching = setInterval(() => {
  const used = shared.used();
  const reason = used && overuse(used);
  if (reason === undefined) return;
  clearInterval(watching);
  shared.writeLast({ t: 'end', reason, cpuMs: used?.cpuMs ?? 0 });
}, WATCH_MS);
