// What the engine puts into a run's sandbox: the pack is the same for all runs of a surface, the job is this run's.
// Types only.

export type Pack = {
  /** Sources of the runner's two threads. */
  readonly runner: string;
  readonly thread: string;
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

/** What the thread is started with. */
export type ThreadData = {
  readonly pack: Pick<Pack, 'ground' | 'prelude' | 'importMessage' | 'descriptionJson'>;
  readonly job: RunnerJob;
};

export type FromThread =
  | { readonly type: 'started' }
  | { readonly type: 'said'; readonly kind: number; readonly id: number; readonly payload: string }
  | { readonly type: 'end'; readonly reason: 'memory' | 'deadlock' | 'flood' | 'crashed' };

export type ToThread = { readonly id: number; readonly how: number; readonly payload: string };
