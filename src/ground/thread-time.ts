// Threads as Linux sees them: how long each has been on a processor, and its priority. Elsewhere nothing is known of
// them, time is the clock's, and priorities are those of the whole process.
import { readFileSync, readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';

const isLinux = process.platform === 'linux';
/** Of the calling thread; 0 where it has none. */
export function ownThreadId(): number {
  if (!isLinux) return 0;
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1));
  } catch {
    return 0;
  }
}

/** How long a thread of this process has been on a processor, ever. Undefined where that is not known. */
function threadMs(threadId: number): number | undefined {
  if (threadId === 0) return undefined;
  try {
    return Number(readFileSync(`/proc/self/task/${threadId}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return undefined;
  }
}

/** For a thread that computes what callers sent: 1 to 19 give way to the main thread, and it cannot be raised again. */
export function lowerPriority(threadId: number, nice: number): void {
  if (threadId === 0 || nice === 0) return;
  try {
    setPriority(threadId, nice);
  } catch {
    // it works as before
  }
}

/** A shorter time is the clock's: to ask the system takes some microseconds. */
const LONG_MS = 5;

/** How long a thread has worked since this was made. */
export class WorkTime {
  readonly #threadId: number;
  #startedAt = performance.now();
  #mark: { readonly clockMs: number; readonly threadMs: number } | undefined;

  /** `exact`: short times are the thread's as well. */
  constructor(threadId: number, { exact = false } = {}) {
    this.#threadId = threadId;
    if (exact) this.#setMark(0);
  }

  /** By the clock: never less than the thread has worked. Called now and then, so that more is known where it is long. */
  get clockMs(): number {
    const clockMs = performance.now() - this.#startedAt;
    if (this.#mark === undefined && clockMs > LONG_MS) this.#setMark(clockMs);
    return clockMs;
  }

  /** Less than the clock's on a machine that gives the thread no processor. */
  get ranMs(): number {
    const { clockMs } = this;
    return Math.min(clockMs, (this.#mark?.clockMs ?? 0) + this.provenMs);
  }

  /** What the system has counted since it was first asked: no more than the thread has worked. */
  get provenMs(): number {
    const { clockMs } = this;
    const ranMs = this.#mark === undefined ? undefined : threadMs(this.#threadId);
    return this.#mark === undefined || ranMs === undefined ? clockMs : ranMs - this.#mark.threadMs;
  }

  #setMark(clockMs: number): void {
    const ranMs = threadMs(this.#threadId);
    if (ranMs !== undefined) this.#mark = { clockMs, threadMs: ranMs };
  }
}
