// CPU time and priority of single threads, which only Linux provides. On other systems wall time is used, and
// priorities are not changed.
import { readFileSync, readlinkSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

const isLinux = process.platform === 'linux';
/** The Linux id of the calling thread; 0 on other systems. */
export function ownThreadId(): number {
  if (!isLinux) return 0;
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1));
  } catch {
    return 0;
  }
}

/** Total CPU time of a thread of this process. Undefined if it is not known. */
function threadMs(threadId: number): number | undefined {
  if (threadId === 0) return undefined;
  try {
    return Number(readFileSync(`/proc/self/task/${threadId}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return undefined;
  }
}

/** Lowers the priority (nice 1 to 19) of a thread below that of the main thread. It cannot be raised again. */
export function lowerPriority(threadId: number, nice: number): void {
  if (threadId === 0 || nice === 0) return;
  try {
    setPriority(threadId, nice);
  } catch {
    // the thread keeps its priority
  }
}

/** The nice value half way between that of the process and `nice`; 0, which changes nothing, for 0. */
export function halfNice(nice: number): number {
  return nice === 0 ? 0 : Math.ceil((Math.min(getPriority(), nice) + nice) / 2);
}

/** Shorter times are wall time, because asking the system takes some microseconds. */
const LONG_MS = 5;

/** Measures how long a thread has worked since this object was created. */
export class WorkTime {
  readonly #threadId: number;
  #startedAt = performance.now();
  #mark: { readonly clockMs: number; readonly threadMs: number } | undefined;

  /** `exact`: short times are CPU time as well. */
  constructor(threadId: number, { exact = false } = {}) {
    this.#threadId = threadId;
    if (exact) this.#setMark(0);
  }

  /** Wall time: at least what the thread has worked. Must be read now and then, which starts measuring CPU time. */
  get clockMs(): number {
    const clockMs = performance.now() - this.#startedAt;
    if (this.#mark === undefined && clockMs > LONG_MS) this.#setMark(clockMs);
    return clockMs;
  }

  /** Estimated CPU time: less than wall time if the machine gives the thread no processor. */
  get ranMs(): number {
    const { clockMs } = this;
    return Math.min(clockMs, (this.#mark?.clockMs ?? 0) + this.provenMs);
  }

  /** CPU time that the system has counted since it was first asked: at most what the thread has worked. */
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
