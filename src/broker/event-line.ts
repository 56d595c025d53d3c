// The queue of events that a run's calls send to the guest: they are masked one after another, in order. If an event
// cannot be masked, the call that ends next fails with the reason.
import type { Emit } from '../engine/engine.ts';
import { GatewayError } from '../errors.ts';

type Mask = () => Promise<string>;

/** `signal`: aborts when the run ends; no event is sent after that. */
export function createEventLine(signal: AbortSignal) {
  let last = Promise.resolve();
  let fault: unknown;

  const send = async (mask: Mask, emit: Emit): Promise<void> => {
    try {
      emit(await mask());
    } catch (caught) {
      const isOver = signal.aborted || (caught instanceof GatewayError && caught.code === 'cancelled');
      if (!isOver) fault ??= caught;
    }
  };
  return {
    push(mask: Mask, emit: Emit): void {
      last = last.then(() => send(mask, emit));
    },
    /** Resolves when all events so far have been sent. Rejects once for an event that could not be masked. */
    async pushed(): Promise<void> {
      await last;
      const thrown = fault;
      fault = undefined;
      if (thrown !== undefined) throw thrown;
    },
  };
}
