// Time as local mode sees it, so that tests can move it: sandboxes expire by this clock and no other.

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
