// What the scheduler and its workers say to each other. Types only. Both sides are ours; what comes out of a guest was
// checked by guest-messages.ts before it becomes one of these.
import type { Display, Limits } from '../engine.ts';
import type { FailedPayload, Settle } from '../protocol.ts';
import type { Image } from './image.ts';
import type { Parked } from './instance.ts';

/** An answer to a call, or a timer that fired. */
export type Settlement = { readonly id: number; readonly how: Settle; readonly payload: string };

/** What the engine has counted of a run so far. Travels with the guest. */
export type Meter = {
  /** Time in which the guest held a worker, our measure of its CPU time. */
  cpuMs: number;
  /** Ids of the calls and timers the host still owes an answer to. */
  readonly open: Set<number>;
  /** Calls and timers ever made. */
  crossings: number;
  logChars: number;
  displayBytes: number;
};

export type Emission =
  | { readonly kind: 'call'; readonly id: number; readonly capability: string; readonly argsJson: string }
  | { readonly kind: 'timer'; readonly id: number; readonly ms: number }
  | { readonly kind: 'clear'; readonly id: number }
  | { readonly kind: 'log'; readonly stream: 'stdout' | 'stderr'; readonly text: string }
  | { readonly kind: 'dropped'; readonly chars: number }
  | { readonly kind: 'display'; readonly display: Display };

/** Why a run is over, as the worker saw it. */
export type End =
  | { readonly reason: 'done'; readonly json: string; readonly note?: string }
  | { readonly reason: 'failed'; readonly error: FailedPayload }
  /** The CPU budget ran out. */
  | { readonly reason: 'cpu' }
  /** The scheduler asked for it. */
  | { readonly reason: 'stopped' }
  /** No job left and nothing pending. */
  | { readonly reason: 'deadlock' }
  | { readonly reason: 'memory' }
  /** More calls and timers than any run may make. */
  | { readonly reason: 'flood' }
  /** The instance trapped, or the guest said what no prelude says. */
  | { readonly reason: 'crashed'; readonly detail: string };

type Begin =
  | { readonly source: string }
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
  | { readonly type: 'ready' }
  /** Mid-slice: what a long slice has said so far. */
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
  /** Int32[0]: not 0 asks the running slice to stop. Written by the scheduler only. */
  readonly control: SharedArrayBuffer;
};
