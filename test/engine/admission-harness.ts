// Admission with workers that only have a state: no thread runs anything.
import { Admission } from '../../src/engine/quickjs/admission.ts';
import { PoolWorker } from '../../src/engine/quickjs/pool-worker.ts';
import { Run } from '../../src/engine/quickjs/run.ts';
import { principalFromKey } from '../../src/principal.ts';
import { LIMITS } from '../contract/harness.ts';

export const LONG_AGO = -1_000;
/** In the future: the slice stays short, however long the test is interrupted. */
export const NOW = 1_000_000;

/** Admission for `max` workers, none of which is started yet. More than `base` are additional ones. */
export function admissionFor(max: number, base = max) {
  const pool = { workers: [] as PoolWorker[], base, max };
  const admission = new Admission({ maxQueued: 1_000, maxQueueMs: 5_000, maxLive: 1_000, maxParkedBytes: 1e9 }, pool);
  let lastId = 0;
  const makeRun = (principal: string) =>
    new Run(
      ++lastId,
      {
        source: '',
        surface: 'write',
        callHost: async () => ({ ok: true, json: '' }),
        limits: LIMITS,
        signal: new AbortController().signal,
        principal: { ...principalFromKey(''), id: principal },
      },
      0,
      () => undefined,
    );
  const enqueue = (...principals: string[]) =>
    principals.map(principal => {
      const run = makeRun(principal);
      admission.enqueue(run);
      return run;
    });
  /** Starts the next run. */
  const place = () => {
    const run = admission.next();
    if (run === undefined) return undefined;
    run.state = 'running';
    admission.begin(run);
    return run;
  };
  const end = (run: Run, cpuMs: number) => {
    run.cpuMs = cpuMs;
    admission.release(run);
    run.state = 'ended';
  };
  /** Each principal has had runs with this CPU time. */
  const meet = (cpuMs: number, ...principals: string[]) => {
    for (const principal of principals) {
      enqueue(principal);
      const run = place();
      if (run !== undefined) end(run, cpuMs);
    }
  };
  /** A worker on which this run has a slice that is already long, or began `atMs`; without a run, a free worker. */
  const addWorker = (run?: Run, atMs = LONG_AGO) => {
    const worker = new PoolWorker({ postMessage: () => undefined } as never, new SharedArrayBuffer(12));
    if (run !== undefined) {
      worker.run = run;
      worker.beginSlice(1_000);
      Object.assign(worker.slice ?? {}, { startedAt: performance.now() + atMs, held: true });
    }
    pool.workers.push(worker);
  };
  /** Each principal occupies a worker with a long slice. */
  const hold = (...principals: string[]) => {
    for (const principal of principals) {
      enqueue(principal);
      const run = place();
      run?.takeWithheld();
      addWorker(run);
    }
  };
  const order = () => {
    const names: string[] = [];
    for (let run = place(); run !== undefined; run = place()) names.push(run.principal);
    return names;
  };
  return { admission, enqueue, place, end, meet, addWorker, hold, order };
}
