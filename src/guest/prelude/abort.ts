// AbortController and AbortSignal, with the members that code without a network can use. Local mode's `node` uses them too.

type Listener = ((event: object) => unknown) | { handleEvent(event: object): unknown };

/** Calls `run` after `ms`, without keeping the program alive. Set by the prelude and by local mode, which have timers. */
type Later = (ms: number, run: () => void) => unknown;
let later: Later = () => {
  throw new TypeError('there are no timers here');
};
export function useTimers(given: Later): void {
  later = given;
}

const abortError = (): unknown => new DOMException('This operation was aborted', 'AbortError');
let making = false;
// Assigned inside the class, because it uses private fields.
let abort: (signal: AbortSignal, reason?: unknown) => void;

export class AbortSignal {
  aborted = false;
  reason: unknown;
  onabort: ((event: object) => unknown) | null = null;
  readonly #listeners = new Set<Listener>();

  constructor() {
    if (!making) throw new TypeError('Illegal constructor');
  }

  static abort(reason: unknown = abortError()): AbortSignal {
    const signal = makeSignal();
    abort(signal, reason);
    return signal;
  }
  static timeout(ms: number): AbortSignal {
    const signal = makeSignal();
    later(ms, () => abort(signal, new DOMException('The operation was aborted due to timeout', 'TimeoutError')));
    return signal;
  }
  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const signal = makeSignal();
    for (const other of signals) {
      if (other.aborted) abort(signal, other.reason);
      else other.addEventListener('abort', () => abort(signal, other.reason));
    }
    return signal;
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }
  addEventListener(type: string, listener: Listener): void {
    if (type === 'abort') this.#listeners.add(listener);
  }
  removeEventListener(_type: string, listener: Listener): void {
    this.#listeners.delete(listener);
  }

  static {
    abort = (signal, reason = abortError()) => {
      if (signal.aborted) return;
      signal.aborted = true;
      signal.reason = reason;
      const event = { type: 'abort', target: signal };
      signal.onabort?.(event);
      for (const listener of signal.#listeners)
        if (typeof listener === 'function') listener(event);
        else listener.handleEvent(event);
    };
  }
}

function makeSignal(): AbortSignal {
  making = true;
  try {
    return new AbortSignal();
  } finally {
    making = false;
  }
}

export class AbortController {
  readonly signal = makeSignal();
  abort(reason?: unknown): void {
    abort(this.signal, reason);
  }
}
