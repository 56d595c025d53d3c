// The messages between the scheduler and its workers. Types only. Both sides are ours; what comes out of a guest was
// checked by intake.ts before it becomes one of these.
import type { Limits, TapeStart } from '../engine.ts';
import type { Emission, End, Meter } from '../intake.ts';
import type { Settle } from '../protocol.ts';
import type { Image } from './image.ts';
import type { Parked } from './instance.ts';

/** An answer to a call, or a timer that fired. */
export type Settlement = {
  readonly id: number;
  readonly how: Settle;
  readonly payload: string;
  /** Of a run that is recorded or replayed. */
  readonly atMs?: number;
  /** What the host computed for it. */
  readonly hostMs?: number;
};

/** As the scheduler keeps it until a worker has it. */
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
  /** Goes on with the resident run. */
  | { readonly type: 'settle'; readonly runId: number; readonly settlements: readonly Settlement[] }
  /** The resident run is no longer wanted. */
  | { readonly type: 'drop'; readonly runId: number };

export type FromWorker =
  /** `threadId`: see ground/thread-time.ts. */
  | { readonly type: 'ready'; readonly threadId: number }
  /** Mid-slice: the output of a long slice so far. */
  | { readonly type: 'emissions'; readonly runId: number; readonly emissions: readonly Emission[] }
  /** The slice is over; the run stays resident, waiting. */
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
   * Int32[0]: not 0 asks the running slice to stop; written by the scheduler. Int32[1]: slices begun; by the worker.
   * Int32[2]: 1 asks the slice to let others go first; by the scheduler.
   */
  readonly control: SharedArrayBuffer;
};

/** What a reader exports: an expression out of what an agent wrote, lines kept, or nothing where that takes more. */
export type CodeReader = { readonly readCode: (text: string) => string | undefined };
