// AbortController and AbortSignal, over the events of a library: as small as scripts need them.
import { Event, EventTarget } from 'event-target-shim';

export { Event, EventTarget };

let abort: (signal: AbortSignal, reason: unknown) => void;

export class AbortSignal extends EventTarget {
  aborted = false;
  reason: unknown;
  onabort: ((event: Event) => unknown) | null = null;
  static {
    abort = (signal, reason) => {
      if (signal.aborted) return;
      signal.aborted = true;
      signal.reason = reason ?? new DOMException('This operation was aborted', 'AbortError');
      const event = new Event('abort');
      signal.dispatchEvent(event);
      signal.onabort?.(event);
    };
  }
  static abort(reason?: unknown): AbortSignal {
    const signal = new AbortSignal();
    abort(signal, reason);
    return signal;
  }
  static timeout(ms: number): AbortSignal {
    const signal = new AbortSignal();
    const late = () => abort(signal, new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
    setTimeout(late, ms).unref();
    return signal;
  }
  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const whole = new AbortSignal();
    for (const signal of signals) {
      if (signal.aborted) abort(whole, signal.reason);
      else signal.addEventListener('abort', () => abort(whole, signal.reason), { once: true });
    }
    return whole;
  }
  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }
}

export class AbortController {
  readonly signal = new AbortSignal();
  abort(reason?: unknown): void {
    abort(this.signal, reason);
  }
}
