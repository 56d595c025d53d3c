// What the engine puts into a run's sandbox: the pack is the same for all runs of a surface, the job is this run's; and
// what the runner's two threads share. Types only.
import type { TapeStart } from '../../engine.ts';
import type { LateScript } from './ground.ts';

export type Pack = {
  /** Sources of the runner's two threads. */
  readonly runner: string;
  readonly watch: string;
  /** Evaluated first in the guest's context, see ground.ts. */
  readonly ground: string;
  readonly prelude: string;
  /** Evaluated when first asked for: base64 of gzip, since most runs do not ask. */
  readonly late: Readonly<Record<LateScript, string>>;
  readonly importMessage: string;
  /** Only for the guest of search: base64 of gzip of the description's JSON. */
  readonly description?: string;
};

export type RunnerJob = {
  /** An expression, as guest/accept/code.ts accepted it. */
  readonly source: string;
  /** GuestLimits as JSON text, for the prelude. */
  readonly limitsJson: string;
  readonly cpuMs: number;
  readonly memoryBytes: number;
  readonly maxCrossings: number;
  /** The run is recorded or replayed: the engine keeps its timers, and its clock and randomness start from here. */
  readonly tape?: TapeStart;
};

/** The one file uploaded for a run. */
export type RunFile = { readonly job: RunnerJob; readonly pack: Pack };

export type WatchData = {
  readonly shared: SharedArrayBuffer;
  readonly job: Pick<RunnerJob, 'cpuMs' | 'memoryBytes'>;
};
