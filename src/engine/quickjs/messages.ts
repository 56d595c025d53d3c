// The messages between the scheduler and its workers; types only. Both sides are trusted: intake.ts has checked everything in
// them that comes from a guest.
import type { JsonText } from '../../ground/json-text.ts';
import type { Limits, TapeStart } from '../engine.ts';
import type { Emission, End, Meter } from '../intake.ts';
import type { Settle } from '../protocol.ts';
import type { Image } from './image.ts';
import type { Parked } from './instance.ts';

/** A reply to a call, an event, or a timer that fired. */
export type Settlement = {
  readonly id: number;
  readonly how: Settle;
  readonly payload: JsonText;
  /** The guest's time, for a run that is recorded or replayed. */
  readonly atMs?: number;
  /** CPU time that the host used for it. */
  readonly hostMs?: number;
};

/** A settlement that the scheduler keeps until a worker gets it. */
export type Due = Settlement & { readonly delivered?: (() => void) | undefined };

type Begin =
  /** `asWritten`: see Job. */
  | { readonly source: string; readonly asWritten: boolean; readonly tape?: TapeStart | undefined }
  | { readonly parked: Parked; readonly meter: Meter; readonly settlements: readonly Settlement[] };

export type ToWorker =
  | { readonly type: 'image'; readonly imageId: number; readonly image: Image }
  | { readonly type: 'forget'; readonly imageId: number }
  /** Starts or resumes a run here. The resident one, if any, is parked first. */
  | {
      readonly type: 'run';
      readonly runId: number;
      readonly imageId: number;
      readonly limits: Limits;
      readonly begin: Begin;
    }
  /** Continues the resident run. */
  | { readonly type: 'settle'; readonly runId: number; readonly settlements: readonly Settlement[] }
  /** Discards the resident run. */
  | { readonly type: 'drop'; readonly runId: number };

export type FromWorker =
  /** `threadId`: see ground/thread-time.ts. */
  | { readonly type: 'ready'; readonly threadId: number }
  /** The output of a long slice so far. */
  | { readonly type: 'emissions'; readonly runId: number; readonly emissions: readonly Emission[] }
  /** The slice has ended; the run waits and stays resident. */
  | {
      readonly type: 'waiting';
      readonly runId: number;
      readonly emissions: readonly Emission[];
      readonly cpuMs: number;
    }
  | { readonly type: 'parked'; readonly runId: number; readonly parked: Parked; readonly meter: Meter }
  | {
      readonly type: 'ended';
      readonly runId: number;
      readonly emissions: readonly Emission[];
      readonly cpuMs: number;
      readonly end: End;
    };

export type WorkerData = {
  readonly module: WebAssembly.Module;
  /** See QuickjsOptions. */
  readonly reader: string | undefined;
  /**
   * Int32[0]: the scheduler writes 1 to ask the slice to stop. Int32[1]: the worker counts the slices it has begun.
   * Int32[2]: the scheduler writes 1 to ask the slice to let others go first.
   */
  readonly control: SharedArrayBuffer;
};

/** The exports of a reader. It turns an agent's code into an expression with the same lines, or returns undefined. */
export type CodeReader = { readonly readCode: (text: string) => string | undefined };
