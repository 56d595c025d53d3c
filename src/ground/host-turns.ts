// The main thread's own time, shared: what the host computes for a run (parsing, checking, decoding) waits for its turn
// here. Principals take turns, the event loop turns in between, and each piece of work is measured.
import { AsyncResource } from 'node:async_hooks';
import { FairQueue } from './fair-queue.ts';

/** For whom the main thread works. `name` is for the log. */
export type TurnOwner = { readonly principalId: string; readonly name: string };

export type Worked<T> = { readonly value: T; readonly ms: number };

/** Between two turns of the event loop, work goes on for this long. */
const SLICE_MS = 4;

export class HostTurns {
  readonly #queue = new FairQueue<() => void>();
  /** Used since the event loop last turned. */
  #usedMs = 0;
  #scheduled = false;
  #longest: { readonly name: string; readonly ms: number } | undefined;

  /**
   * Does `work` at once while there is time left, else when it is its turn. It is not cut short: what it does must be
   * bounded by what it is given. Rejects with what it throws.
   */
  take<T>(owner: TurnOwner, work: () => T): Promise<Worked<T>> {
    return new Promise((resolve, reject) => {
      const act = () => {
        const startedAt = performance.now();
        try {
          const value = work();
          resolve({ value, ms: this.#note(owner, startedAt) });
        } catch (caught) {
          this.#note(owner, startedAt);
          reject(caught);
        }
      };
      if (this.#queue.size === 0 && this.#usedMs < SLICE_MS) act();
      else this.#queue.pushStart(owner.principalId, AsyncResource.bind(act));
      this.#schedule();
    });
  }

  /**
   * For work that others do right after this resolves, and that is long: the event loop turns before the next.
   */
  alone(owner: TurnOwner): Promise<void> {
    return new Promise(resolve => {
      this.#queue.pushStart(owner.principalId, () => {
        this.#usedMs = SLICE_MS;
        resolve();
      });
      this.#schedule();
    });
  }

  /** The longest piece of work since this was last asked. */
  takeLongest(): { readonly name: string; readonly ms: number } | undefined {
    const longest = this.#longest;
    this.#longest = undefined;
    return longest;
  }

  #note({ name }: TurnOwner, startedAt: number): number {
    const ms = performance.now() - startedAt;
    this.#usedMs += ms;
    if (ms > (this.#longest?.ms ?? 0)) this.#longest = { name, ms };
    return ms;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#usedMs = 0;
      while (this.#queue.size > 0 && this.#usedMs < SLICE_MS) this.#queue.shift(always, always)?.();
      if (this.#queue.size > 0) this.#schedule();
    });
  }
}

const always = (): boolean => true;
