// Measures how late the event loop is, so that whatever holds it up is seen: a late loop is late for every caller.
import type { HostTurns } from './host-turns.ts';

export type LoopDelay = {
  readonly delayMs: number;
  /** The longest piece of work that was done for a run meanwhile, if any was. */
  readonly work: { readonly name: string; readonly ms: number } | undefined;
};

const TICK_MS = 20;

/** Calls `onTick` some 50 times a second. Returns how to stop. */
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
