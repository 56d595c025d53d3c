// The callbacks on output: they run while the command or the code runs, one after another in the order of what was
// printed. As in the SDK, an async one is awaited before the next, and the first that throws is what its call rejects with.
import { clearTimer, startTimer } from '../bridge.ts';

/** Kind, and what the callback gets. `end`: of a command in the background, that no more will come. */
type Event = readonly [kind: string, value: unknown];
export type Callbacks = Readonly<Record<string, (value: unknown) => unknown>>;

const FOREVER_MS = 2_147_483_647;

export class Listening {
  /** What its call is asked for. */
  readonly asked: { readonly events: readonly string[] };
  readonly #callbacks: Callbacks;
  /** Rejects with what a callback threw. Reported as not awaited, unless the code awaits it. */
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

  /** The command goes on: code that waits for its callbacks only is not stuck, which the engine sees by a timer. */
  stayOpen(): void {
    if (!this.#stopped) this.#open = startTimer(FOREVER_MS, () => {});
  }

  stayClosed(): void {
    if (this.#open !== undefined) clearTimer(this.#open);
  }

  /** Nothing that has not begun is begun. */
  stop(): void {
    this.#stopped = true;
    this.stayClosed();
  }

  /** The answer, or its error, once the callbacks have run for all that came before it. */
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

/** `names`: option -> kind of event, and what its callback gets of the event's value. Undefined: there is no callback. */
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
