// Gives the memory of discarded instances back soon. V8 frees a WebAssembly memory only in a full collection, and a
// worker's own heap is too small to cause one by itself. Cheap here for the same reason: a few milliseconds.
import { collectGarbage } from '../../ground/heap.ts';

/** How many discarded instances (a few MB each, at most 64) may wait for a quiet moment. */
const MAX_WAITING = 6;
const QUIET_MS = 250;

let waiting = 0;
let timer: NodeJS.Timeout | undefined;

export function noteDiscarded(): void {
  waiting += 1;
  if (waiting >= MAX_WAITING) collectNow();
  else timer ??= setTimeout(collectNow, QUIET_MS).unref();
}

function collectNow(): void {
  clearTimeout(timer);
  timer = undefined;
  waiting = 0;
  collectGarbage();
}
