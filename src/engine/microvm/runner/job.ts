// Types of the file that the engine uploads into a run's sandbox (the pack is the same for all runs of a tool, the job is for
// this run), and of the data that the runner's two threads share.
import type { TapeStart } from '../../engine.ts';
import type { LateScript } from './ground.ts';

export type Pack = {
  /** The sources of the runner's two threads. */
  readonly runner: string;
  readonly watch: string;
  /** Evaluated first in the guest's context, see ground.ts. */
  readonly ground: string;
  readonly prelude: string;
  /** Scripts that are evaluated on first use. base64 of gzip, because most runs do not use them. */
  readonly late: Readonly<Record<LateScript, string>>;
  readonly importMessage: string;
  /** Only for the guest of search: base64 of gzip of the description's JSON. */
  readonly description?: string;
};

export type RunnerJob = {
  /** An expression, as guest/accept/code.ts accepted it. */
  readonly source: string;
  /** GuestLimits as JSON, for the prelude. */
  readonly limitsJson: string;
  readonly cpuMs: number;
  readonly memoryBytes: number;
  readonly maxCrossings: number;
  /** Set if the run is recorded or replayed: then the engine has its timers, and clock and random numbers start from this. */
  readonly tape?: TapeStart;
};

/** The file that is uploaded for a run. */
export type RunFile = { readonly job: RunnerJob; readonly pack: Pack };

export type WatchData = {
  readonly shared: SharedArrayBuffer;
  readonly job: Pick<RunnerJob, 'cpuMs' | 'memoryBytes'>;
};
