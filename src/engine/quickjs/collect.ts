// Frees the memory of discarded instances. V8 frees a WebAssembly memory only in a full garbage collection, and a worker's
// heap is too small to cause one. For the same reason a collection takes only a few milliseconds here.
import { collectGarbage } from '../../ground/heap.ts';

/** Maximum number of discarded instances (a few MB each, at most 64) before a collection is forced. */
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
