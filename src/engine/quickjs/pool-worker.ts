// One worker thread as the scheduler sees it: the run in it, its current slice, and the memory that both share.
import type { Worker } from 'node:worker_threads';
import { buffersOf } from '../../ground/json-text.ts';
import { WorkTime } from '../../ground/thread-time.ts';
import type { Settlement, ToWorker } from './messages.ts';
import type { Run } from './run.ts';

/** A worker that has not begun a slice after this time counts as dead. */
const UNBEGUN_MS = 10_000;
/** A worker that has not stopped after this time is killed, however little CPU time its thread got. */
const STOP_MS = 1_000;

export class PoolWorker {
  readonly #worker: Worker;
  readonly #control: Int32Array;
  /** The run in this worker, which runs a slice or is resident. */
  run: Run | undefined;
  /** The run that is being parked; its pages have not arrived yet. */
  leaving: Run | undefined;
  /** The current slice: its start, how long it may take before the worker is killed, whether it counts as long (held). */
  slice:
    | { startedAt: number; time: WorkTime; readonly sentAt: number; readonly maxMs: number; held: boolean }
    | undefined;
  /** Number of slices sent so far; the worker counts those it has begun. */
  #sent = 0;
  #stop: { readonly asked: WorkTime; readonly graceMs: number } | undefined;
  threadId = 0;
  dead = false;
  idleSince = performance.now();
  /** Whether the thread has the lower priority, because a slice of it was long. */
  lowered = false;

  constructor(worker: Worker, control: SharedArrayBuffer) {
    this.#worker = worker;
    this.#control = new Int32Array(control);
  }

  post(message: ToWorker): void {
    this.#worker.postMessage(message, movedBy(message));
  }

  beginSlice(maxMs: number): void {
    Atomics.store(this.#control, 0, 0);
    Atomics.store(this.#control, 2, 0);
    this.#stop = undefined;
    this.#sent = (this.#sent + 1) | 0;
    const now = performance.now();
    this.slice = { startedAt: now, time: new WorkTime(this.threadId), sentAt: now, maxMs, held: false };
  }

  endSlice(): void {
    this.slice = undefined;
    this.idleSince = performance.now();
  }

  /** Asks the slice to stop at its next interrupt check. It is overdue if it has not stopped after `graceMs`. */
  requestStop(graceMs: number): void {
    Atomics.store(this.#control, 0, 1);
    this.givesWay = false;
    this.#stop = { asked: new WorkTime(this.threadId), graceMs };
  }

  /**
   * Whether the slice has used up its time and its grace. The time does not count while the thread has not begun the slice:
   * the machine may be busy, or the thread may still be parking another guest.
   */
  overdue(now: number): boolean {
    const { slice } = this;
    if (slice === undefined) return false;
    if (Atomics.load(this.#control, 1) !== this.#sent && now - slice.sentAt < UNBEGUN_MS) {
      slice.startedAt = now;
      slice.time = new WorkTime(this.threadId);
      if (this.#stop !== undefined) this.requestStop(this.#stop.graceMs);
      return false;
    }
    return isOver(slice.time, slice.maxMs) || (this.#stop !== undefined && this.#stopIsOver(this.#stop));
  }

  #stopIsOver({ asked, graceMs }: { readonly asked: WorkTime; readonly graceMs: number }): boolean {
    return asked.clockMs > STOP_MS || isOver(asked, graceMs);
  }

  /** Whether the slice must let others go first, by waiting a little at its interrupt checks. */
  set givesWay(gives: boolean) {
    Atomics.store(this.#control, 2, gives ? 1 : 0);
    if (!gives) Atomics.notify(this.#control, 2);
  }

  terminate(): Promise<number> {
    return this.#worker.terminate();
  }
}

const isOver = (time: WorkTime, maxMs: number): boolean => time.clockMs > maxMs && time.ranMs > maxMs;

/** The memory of a message that moves to the worker without a copy. */
function movedBy(message: ToWorker): ArrayBuffer[] {
  if (message.type === 'settle') return repliesIn(message.settlements);
  if (message.type !== 'run' || !('parked' in message.begin)) return [];
  const { parked, settlements } = message.begin;
  return [parked.pages.buffer, ...repliesIn(settlements)];
}

const repliesIn = (settlements: readonly Settlement[]): ArrayBuffer[] =>
  settlements.flatMap(({ payload }) => buffersOf(payload));
