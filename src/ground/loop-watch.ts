// Measures the delay of the event loop, so that work which blocks it, and so every caller, is noticed.
import type { HostTurns } from './host-turns.ts';

export type LoopDelay = {
  readonly delayMs: number;
  /** The longest piece of work for a run during the delay, if there was one. */
  readonly work: { readonly name: string; readonly ms: number } | undefined;
};

const TICK_MS = 20;

/** Calls `onTick` about 50 times per second. Returns a function that stops it. */
export function watchLoop(turns: HostTurns, onTick: (delay: LoopDelay) => void): () => void {
  let lastAt = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    const delayMs = Math.max(0, now - lastAt - TICK_MS);
    lastAt = now;
    onTick({ delayMs, work: turns.takeLongest() });
  }, TICK_MS).unref();
  return () => clearInterval(timer);
}
