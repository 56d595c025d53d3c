// Charges the calls of one run to the caller's memory budget: arguments until the call is answered, the response until
// the engine has passed it on. Whatever is left is released when the run ends.
import { GatewayError } from '../errors.ts';
import type { MemoryBudget } from '../ground/memory-budget.ts';

export type CallMemory = {
  /** @throws GatewayError `busy`, or `cancelled` after the run has ended */
  take(bytes: number): void;
  /** Releases everything that this call was charged. */
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
