// Shares the main thread between callers: work for a run (parsing, checking, decoding) waits here for its turn.
// Principals take turns by the time each has used, the event loop gets control after each piece or a few, and each piece
// of work is measured.
import { AsyncResource } from 'node:async_hooks';
import { Arrivals } from './arrivals.ts';
import { FairQueue } from './fair-queue.ts';
import { FairShares } from './fair-shares.ts';
import { Activity, Pace, type PaceLimits } from './pace.ts';

/** The caller for whom the main thread works. `name` is for the log. `paced`: see pace.ts. */
export type TurnOwner = { readonly principalId: string; readonly name: string; readonly paced?: true };

export type Worked<T> = { readonly value: T; readonly ms: number };

/** Maximum time of work between two turns of the event loop. */
const SLICE_MS = 0.4;
/**
 * Pieces of work are small, so a principal that has used more than the others is delayed only briefly. The credit is enough
 * for a call, so that the pieces of a short one do not alternate with the work of everybody else.
 */
const SHARES = { newcomerMs: 1, maxAheadMs: 8, creditMs: 8 };

/** For what runs receive. Pieces of work are small, so the debt is. */
const PACE: PaceLimits = {
  own: { share: 0.05, creditMs: 4, maxDebtMs: 10 },
  heavy: { share: 0.2, creditMs: 0.5, maxDebtMs: 10 },
};

type Passed = { readonly owner: TurnOwner; readonly onWorked: (ms: number) => void; readonly startedAt: number };

export class HostTurns {
  /** Work waits while new connections are accepted. */
  readonly arrivals: Arrivals;
  readonly activity: Activity;
  readonly #pace: Pace;
  readonly #now: () => number;
  readonly #shares = new FairShares(SHARES);
  readonly #queue = new FairQueue<() => void>(this.#shares);
  /** Start of the first work since the last turn of the event loop. All time since then counts, microtasks included. */
  #sliceStartedAt: number | undefined;
  #scheduled = false;
  #resting: NodeJS.Timeout | undefined;
  #turn = 0;
  /** The turn in which work last went on without waiting. */
  #wentOnIn = -1;
  /** The caller whose microtasks are running now. */
  #passed: Passed | undefined;
  #longest: { readonly name: string; readonly ms: number } | undefined;

  constructor(clock = () => performance.now()) {
    this.#now = clock;
    this.arrivals = new Arrivals(clock);
    this.activity = new Activity(clock);
    this.#pace = new Pace(this.activity, PACE);
  }

  /**
   * Does `work` at once if there is time left, else when it is its turn. The work is not interrupted, so its input must
   * limit its duration. Rejects with the error that it throws.
   */
  take<T>(owner: TurnOwner, work: () => T): Promise<Worked<T>> {
    return new Promise((resolve, reject) => {
      this.#enter(owner, () => {
        const startedAt = this.#now();
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
   * For work that other code, e.g. a client library, does right after this resolves. Its duration is measured until the
   * next turn is taken or no microtask is left, and passed to `onWorked`. `since`: the number of the turn in which the
   * owner's work began; if it still lasts, the owner goes on without waiting, but only one in each turn.
   */
  pass(owner: TurnOwner, onWorked: (ms: number) => void = () => {}, since?: number): Promise<void> {
    return new Promise(resolve => {
      const act = () => {
        const drains = this.#passed !== undefined;
        this.#passed = { owner, onWorked, startedAt: this.#now() };
        resolve();
        if (!drains) afterMicrotasks(() => this.#endPass());
      };
      const goesOn = since === this.#turn && this.#wentOnIn !== this.#turn;
      if (!goesOn) return this.#enter(owner, act);
      this.#wentOnIn = this.#turn;
      this.#begin(owner, act);
    });
  }

  /** The number of turns of the event loop so far, counted while there is work. */
  get turn(): number {
    return this.#turn;
  }

  /** Whether new work would be done at once. */
  get isFree(): boolean {
    return (
      !this.#queue.holds(this.#mayGo) &&
      !this.arrivals.areExpected &&
      (this.#sliceStartedAt === undefined || this.#hasTime())
    );
  }

  /** The longest piece of work since the last call of this method. */
  takeLongest(): { readonly name: string; readonly ms: number } | undefined {
    const longest = this.#longest;
    this.#longest = undefined;
    return longest;
  }

  #enter(owner: TurnOwner, act: () => void): void {
    const { principalId } = owner;
    if (this.isFree && this.#hasTime() && this.#mayGo(principalId)) this.#begin(owner, act);
    else {
      const resource = new AsyncResource('HOSTTURN');
      // Not AsyncResource.bind: the function that it returns has an accessor, and V8 keeps it until a full collection.
      this.#queue.pushStart(principalId, () => resource.runInAsyncScope(act));
    }
    this.#schedule();
  }

  #begin({ principalId }: TurnOwner, act: () => void): void {
    this.#endPass();
    this.#shares.arrive(principalId);
    this.#shares.begin(principalId);
    act();
  }

  #hasTime(): boolean {
    const now = this.#now();
    this.#sliceStartedAt ??= now;
    return now - this.#sliceStartedAt < SLICE_MS;
  }

  #note({ principalId, name, paced }: TurnOwner, startedAt: number): number {
    const ms = this.#now() - startedAt;
    this.#queue.done(principalId, ms);
    if (paced) this.#pace.noteWork(principalId, ms);
    if (ms > (this.#longest?.ms ?? 0)) this.#longest = { name, ms };
    return ms;
  }

  #endPass(): void {
    const passed = this.#passed;
    this.#passed = undefined;
    if (passed !== undefined) passed.onWorked(this.#note(passed.owner, passed.startedAt));
  }

  readonly #mayGo = (principalId: string): boolean => this.#pace.restMs(principalId) === 0;

  #schedule(): void {
    if (this.#scheduled) return;
    if (!this.#queue.holds(this.#mayGo)) {
      this.#scheduleLater();
      return;
    }
    this.#scheduled = true;
    setImmediate(() => {
      this.#turn += 1;
      if (this.arrivals.areExpected) {
        this.#endPass();
        this.#scheduled = false;
        this.#schedule();
        return;
      }
      this.#sliceStartedAt = this.#now();
      this.#workOff();
    });
  }

  /** All that waits has to rest. */
  #scheduleLater(): void {
    this.#resting ??= setTimeout(() => {
      this.#resting = undefined;
      if (this.#queue.size > 0) this.#schedule();
    }, 1);
  }

  /** Does one piece of work at a time, so that its microtasks run, and are counted, before the next. */
  #workOff(): void {
    this.#endPass();
    const next = this.#hasTime() ? this.#queue.shift(this.#mayGo, this.#mayGo) : undefined;
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

/** Node empties the microtask queue before it runs callbacks of nextTick. */
const afterMicrotasks = (act: () => void): void => queueMicrotask(() => process.nextTick(act));
