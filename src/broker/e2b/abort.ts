// Waits for a promise, but only until the run is aborted or for a limited time.
import { GatewayError } from '../../errors.ts';

/** Rejects `cancelled` as soon as the signal aborts. If the work completes after that, `late` gets its result. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal, late?: (value: T) => void): Promise<T> {
  let cancel = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    cancel = () => reject(new GatewayError('cancelled'));
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } catch (caught) {
    if (signal.aborted && late !== undefined) work.then(late, () => {});
    throw caught;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

/** Returns the result of the work, or undefined if it takes longer. */
export async function within<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>(resolve => {
    timer = setTimeout(resolve, ms, undefined);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
