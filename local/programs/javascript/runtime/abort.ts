// Events of the web's kind, and what is aborted by them: as small as scripts need them.

type Listener = ((event: Event) => unknown) | { handleEvent(event: Event): unknown };

export class Event {
  readonly type: string;
  target: unknown = null;
  defaultPrevented = false;
  constructor(type: string) {
    this.type = String(type);
  }
  preventDefault(): void {
    this.defaultPrevented = true;
  }
}

export class EventTarget {
  readonly #listeners: { type: string; listener: Listener; once: boolean }[] = [];
  addEventListener(type: string, listener: Listener, options?: { once?: boolean } | boolean): void {
    if (this.#listeners.some(entry => entry.type === type && entry.listener === listener)) return;
    this.#listeners.push({ type, listener, once: typeof options === 'object' && options?.once === true });
  }
  removeEventListener(type: string, listener: Listener): void {
    const at = this.#listeners.findIndex(entry => entry.type === type && entry.listener === listener);
    if (at !== -1) this.#listeners.splice(at, 1);
  }
  dispatchEvent(event: Event): boolean {
    event.target = this;
    for (const { type, listener, once } of [...this.#listeners]) {
      if (type !== event.type) continue;
      if (once) this.removeEventListener(type, listener);
      if (typeof listener === 'function') listener.call(this, event);
      else listener.handleEvent(event);
    }
    const own = (this as unknown as Record<string, unknown>)[`on${event.type}`];
    if (typeof own === 'function') own.call(this, event);
    return !event.defaultPrevented;
  }
}

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
      signal.dispatchEvent(new Event('abort'));
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
