// What the engine puts into a run's sandbox: the pack is the same for all runs of a surface, the job is this run's; and
// what the runner's two threads share. Types only.

export type Pack = {
  /** Sources of the runner's two threads. */
  readonly runner: string;
  readonly watch: string;
  /** Evaluated first in the guest's context: what every engine's guest has and a bare context of Node has not. */
  readonly ground: string;
  readonly prelude: string;
  readonly importMessage: string;
  /** Only for the guest of search. */
  readonly descriptionJson?: string;
};

export type RunnerJob = {
  /** An expression, as guest/code.ts accepted it. */
  readonly source: string;
  /** GuestLimits as JSON text, for the prelude. */
  readonly limitsJson: string;
  readonly cpuMs: number;
  readonly memoryBytes: number;
  readonly maxCrossings: number;
};

export type WatchData = {
  readonly shared: SharedArrayBuffer;
  readonly job: Pick<RunnerJob, 'cpuMs' | 'memoryBytes'>;
};
