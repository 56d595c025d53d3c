// The events that the calls of a run send to the guest: masked, and in the order in which they came.
import type { Emit } from '../engine/engine.ts';

export function createEventLine() {
  let last = Promise.resolve();
  return {
    /** An event that cannot be masked is dropped: the run is over, or too much waits for the threads that mask. */
    push(masked: Promise<string>, emit: Emit): void {
      masked.catch(() => {});
      last = last.then(async () => emit(await masked)).catch(() => {});
    },
    /** Resolves when all events so far have been sent. */
    pushed: () => last,
  };
}
