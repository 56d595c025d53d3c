// What calls of a run send while they are made, in the order it came, each masked before it goes out.
import type { Emit } from '../engine/engine.ts';

export function createEventLine() {
  let last = Promise.resolve();
  return {
    /** What cannot be masked, because the run is over, is dropped. */
    push(masked: Promise<string>, emit: Emit): void {
      masked.catch(() => {});
      last = last.then(async () => emit(await masked)).catch(() => {});
    },
    /** Once all that came so far is out. */
    pushed: () => last,
  };
}
