// Callbacks for output. They run while the command or code runs, one after another in the order of the output. As in the
// SDK, an async callback is awaited before the next, and the call rejects with the first error that a callback throws.
import { clearTimer, startTimer } from '../bridge.ts';

/** The kind, and the callback's argument. Kind `end`: a command in the background will print no more. */
type Event = readonly [kind: string, value: unknown];
export type Callbacks = Readonly<Record<string, (value: unknown) => unknown>>;

const FOREVER_MS = 2_147_483_647;

export class Listening {
  /** Argument of the call that asks the host for these events. */
  readonly asked: { readonly events: readonly string[] };
  readonly #callbacks: Callbacks;
  /** Rejects with a callback's error. If the code does not await the call, a note reports the rejection. */
  readonly #failed: Promise<never>;
  #fail!: (error: unknown) => void;
  #last: Promise<unknown> = Promise.resolve();
  #open: number | undefined;
  #stopped = false;

  constructor(callbacks: Callbacks) {
    this.#callbacks = callbacks;
    this.asked = { events: Object.keys(callbacks) };
    this.#failed = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
  }

  readonly onEvent = (events: unknown): void => {
    for (const [kind, value] of events as Event[]) {
      if (kind === 'end') this.stayClosed();
      else this.#last = this.#last.then(() => (this.#stopped ? undefined : this.#callbacks[kind]?.(value)));
    }
    this.#last.catch(error => this.#fail(error));
  };

  /** Keeps a timer open while a background command runs, so that the engine does not take waiting for callbacks as stuck. */
  stayOpen(): void {
    if (!this.#stopped) this.#open = startTimer(FOREVER_MS, () => {});
  }

  stayClosed(): void {
    if (this.#open !== undefined) clearTimer(this.#open);
  }

  /** No further callback is started. */
  stop(): void {
    this.#stopped = true;
    this.stayClosed();
  }

  /** The call's response or error, after the callbacks have run for all earlier output. */
  async until<T>(answer: Promise<T>): Promise<T> {
    const completed = async () => {
      try {
        return await answer;
      } finally {
        await this.#last;
      }
    };
    return Promise.race([completed(), this.#failed]);
  }
}

/** `names`: option -> kind of event, and how the callback's argument is made of the event's value. Undefined: no callbacks. */
export function listenTo(
  options: unknown,
  names: Readonly<Record<string, readonly [kind: string, given?: (value: never) => unknown]>>,
): Listening | undefined {
  const callbacks: Record<string, (value: unknown) => unknown> = {};
  for (const [name, [kind, given]] of Object.entries(names)) {
    const callback = (options as Record<string, unknown> | null | undefined)?.[name];
    if (callback === undefined || callback === null) continue;
    if (typeof callback !== 'function')
      throw new TypeError(`${name} must be a function, e.g. ${name}: x => out.push(x).`);
    callbacks[kind] = value => callback(given === undefined ? value : given(value as never));
  }
  return Object.keys(callbacks).length === 0 ? undefined : new Listening(callbacks);
}
