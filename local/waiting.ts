// What code of local mode waits for: values that come later, and the end of an AbortSignal.

/** A promise that others settle. */
export class Deferred<T = void> {
  resolve: (value: T) => void = () => {};
  readonly promise = new Promise<T>(resolve => {
    this.resolve = resolve;
  });
}

/** Calls `work` when the signal aborts, at once if it has; until the returned function is called. */
export function onAbort(signal: AbortSignal, work: () => void): () => void {
  signal.addEventListener('abort', work, { once: true });
  if (signal.aborted) work();
  return () => signal.removeEventListener('abort', work);
}

export const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => void onAbort(signal, resolve));
