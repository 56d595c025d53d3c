// The main thread's own time, shared: what the host computes for a run (parsing, checking, decoding) waits for its turn
// here. Principals take turns by what each has had, the event loop turns every few milliseconds, and each piece of work is
// measured.
import { AsyncResource } from 'node:async_hooks';
import { FairQueue } from './fair-queue.ts';
import { FairShares } from './fair-shares.ts';

/** For whom the main thread works. `name` is for the log. */
export type TurnOwner = { readonly principalId: string; readonly name: string };

export type Worked<T> = { readonly value: T; readonly ms: number };

/** Between two turns of the event loop, work goes on for this long. For as long at most it waits for `arrived()`. */
const SLICE_MS = 4;
/** Work comes in small pieces: who has had more than the others goes after them, and soon. */
const SHARES = { newcomerMs: 1, maxAheadMs: 8 };

type Passed = { readonly owner: TurnOwner; readonly onWorked: (ms: number) => void; readonly startedAt: number };

export class HostTurns {
  readonly #shares = new FairShares(SHARES);
  readonly #queue = new FairQueue<() => void>(this.#shares);
  /** When work began after the event loop last turned. All time since then counts, microtasks between two turns too. */
  #sliceStartedAt: number | undefined;
  #scheduled = false;
  /** Whether somebody arrived since the event loop last turned, and since when work waits for that. */
  #arrived = false;
  #waitsSince: number | undefined;
  /** Whose microtasks run now. */
  #passed: Passed | undefined;
  #longest: { readonly name: string; readonly ms: number } | undefined;

  /**
   * Does `work` at once while there is time left, else when it is its turn. It is not cut short: what it does must be
   * bounded by what it is given. Rejects with what it throws.
   */
  take<T>(owner: TurnOwner, work: () => T): Promise<Worked<T>> {
    return new Promise((resolve, reject) => {
      this.#enter(owner, () => {
        const startedAt = performance.now();
        try {
          const value = work();
          resolve({ value, ms: this.#note(owner, startedAt) });
        } catch (caught) {
          this.#note(owner, startedAt);
          reject(caught);
        }
      });
    });
  }

  /**
   * For work that others, a client library say, do right after this resolves. It is measured until the next turn is
   * taken or no microtask is left, and `onWorked` is called with it.
   */
  pass(owner: TurnOwner, onWorked: (ms: number) => void = () => {}): Promise<void> {
    return new Promise(resolve => {
      this.#enter(owner, () => {
        const drains = this.#passed !== undefined;
        this.#passed = { owner, onWorked, startedAt: performance.now() };
        resolve();
        if (!drains) afterMicrotasks(() => this.#endPass());
      });
    });
  }

  /** Whether work would be done at once. */
  get isFree(): boolean {
    const { size } = this.#queue;
    return size === 0 && (this.#sliceStartedAt === undefined || this.#hasTime());
  }

  /**
   * Somebody connected. Node lets in one connection a turn of the event loop, so others may wait behind it: they are let
   * in before work goes on, or one who asks whether the process lives would wait for the work of all before it.
   */
  arrived(): void {
    this.#arrived = true;
  }

  /** The longest piece of work since this was last asked. */
  takeLongest(): { readonly name: string; readonly ms: number } | undefined {
    const longest = this.#longest;
    this.#longest = undefined;
    return longest;
  }

  #enter({ principalId }: TurnOwner, act: () => void): void {
    if (this.isFree && this.#hasTime()) {
      this.#endPass();
      this.#shares.arrive(principalId);
      this.#shares.begin(principalId);
      act();
    } else this.#queue.pushStart(principalId, AsyncResource.bind(act));
    this.#schedule();
  }

  #hasTime(): boolean {
    const now = performance.now();
    this.#sliceStartedAt ??= now;
    return now - this.#sliceStartedAt < SLICE_MS;
  }

  #note({ principalId, name }: TurnOwner, startedAt: number): number {
    const ms = performance.now() - startedAt;
    this.#queue.done(principalId, ms);
    if (ms > (this.#longest?.ms ?? 0)) this.#longest = { name, ms };
    return ms;
  }

  #endPass(): void {
    const passed = this.#passed;
    this.#passed = undefined;
    if (passed !== undefined) passed.onWorked(this.#note(passed.owner, passed.startedAt));
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      if (this.#waits()) {
        this.#endPass();
        this.#scheduled = false;
        this.#schedule();
        return;
      }
      this.#sliceStartedAt = performance.now();
      this.#workOff();
    });
  }

  /** Whether work waits for one more turn of the event loop. */
  #waits(): boolean {
    const now = performance.now();
    const waits = this.#arrived && now - (this.#waitsSince ?? now) < SLICE_MS;
    this.#arrived = false;
    this.#waitsSince = waits ? (this.#waitsSince ?? now) : undefined;
    return waits;
  }

  /** One at a time: what follows from it is done, and counted, before the next. */
  #workOff(): void {
    this.#endPass();
    const next = this.#hasTime() ? this.#queue.shift(always, always) : undefined;
    if (next !== undefined) {
      next();
      afterMicrotasks(() => this.#workOff());
      return;
    }
    this.#scheduled = false;
    this.#sliceStartedAt = undefined;
    if (this.#queue.size > 0) this.#schedule();
  }
}

const always = (): boolean => true;

/** Node empties the queue of microtasks before it looks at the next tick. */
const afterMicrotasks = (act: () => void): void => queueMicrotask(() => process.nextTick(act));
