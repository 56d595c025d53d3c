// Time as local mode sees it, so that tests can move it: sandboxes expire by this clock and no other. And what its code
// waits for: values that come later, and the end of an AbortSignal.

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `then` once, after `delayMs`, unless the returned function was called before. Never keeps the process alive. */
  after(delayMs: number, then: () => void): () => void;
}

/** setTimeout fires at once when asked for more. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, then) {
    let timer: NodeJS.Timeout;
    const arm = (leftMs: number): void => {
      const stepMs = Math.min(leftMs, MAX_TIMER_MS);
      timer = setTimeout(() => (leftMs > stepMs ? arm(leftMs - stepMs) : then()), stepMs).unref();
    };
    arm(Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
};

/** A promise that others settle. */
export class Deferred<T = void> {
  resolve: (value: T) => void = () => {};
  readonly promise = new Promise<T>(resolve => {
    this.resolve = resolve;
  });
}

/** Calls `work` when the signal aborts, at once if it has; until the returned function is called. */
export function onAbort(signal: AbortSignal, work: () => void): () => void {
  signal.addEventListener('abort', work, { once: true });
  if (signal.aborted) work();
  return () => signal.removeEventListener('abort', work);
}

export const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => void onAbort(signal, resolve));
