// What one run holds of the caller's memory budget, call by call: its arguments until it is answered, its answer until
// the engine has passed it on. All of it goes back when the run ends.
import { GatewayError } from '../errors.ts';
import type { MemoryBudget } from '../ground/memory-budget.ts';

export type CallMemory = {
  /** @throws GatewayError `busy`, or `cancelled` after the run has ended */
  take(bytes: number): void;
  /** All that this call holds. */
  release(): void;
};

export function createRunMemory(budget: MemoryBudget, principalId: string, over: AbortSignal): () => CallMemory {
  const held = budget.open(principalId);
  if (!over.aborted) over.addEventListener('abort', () => held.release(), { once: true });
  return () => {
    let own = 0;
    return {
      take(bytes) {
        if (over.aborted) throw new GatewayError('cancelled');
        held.take(bytes);
        own += bytes;
      },
      release() {
        if (!over.aborted) held.give(own);
        own = 0;
      },
    };
  };
}
