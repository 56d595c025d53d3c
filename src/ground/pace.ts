// Slows down callers whose data keeps the host's threads busy while others use the gateway. Without it, the work of one
// caller begins again in each turn of the event loop, and whatever others wait for takes twice as long. Work on threads
// beside the main thread counts as well: it uses processors and memory that the main thread needs. Pure, except for the clock.

/** A part of the time of one thread. `maxDebtMs` / `share` is the longest rest. */
type Share = { readonly share: number; readonly creditMs: number; readonly maxDebtMs: number };

/**
 * `own`: above it, the work of a caller is heavy, until it has used less for a while. `heavy`: what all heavy work together
 * gets while others are active. Its debt must be more than a piece of work usually takes, or heavy work gets more than its share.
 */
export type PaceLimits = { readonly own: Share; readonly heavy: Share };

/** A caller counts as active for this long after a request. */
const ACTIVE_MS = 250;
const MAX_KNOWN = 1_000;

/** Fills with a share of the time, up to the credit, and is emptied by work. Below 0, down to the debt, there was too much. */
class Bucket {
  readonly #limits: Share;
  #levelMs: number;
  #at: number;

  constructor(limits: Share, now: number) {
    this.#limits = limits;
    this.#levelMs = limits.creditMs;
    this.#at = now;
  }

  levelMs(now: number): number {
    return Math.min(this.#limits.creditMs, this.#levelMs + (now - this.#at) * this.#limits.share);
  }

  take(ms: number, now: number): void {
    this.#levelMs = Math.max(this.levelMs(now) - ms, -this.#limits.maxDebtMs);
    this.#at = now;
  }

  /** Time until the level is 0. */
  restMs(now: number): number {
    return Math.max(0, -this.levelMs(now) / this.#limits.share);
  }
}

/** Knows which callers send requests. */
export class Activity {
  readonly now: () => number;
  /** The last two principals that sent requests. */
  #last: readonly { readonly principalId: string; readonly at: number }[] = [];

  constructor(clock = () => performance.now()) {
    this.now = clock;
  }

  /** Call it for each request. */
  note(principalId: string): void {
    const others = this.#last.filter(other => other.principalId !== principalId);
    this.#last = [{ principalId, at: this.now() }, ...others.slice(0, 1)];
  }

  ofOthers(principalId: string): boolean {
    return this.#last.some(other => other.principalId !== principalId && this.now() - other.at < ACTIVE_MS);
  }
}

export class Pace {
  readonly #activity: Activity;
  readonly #limits: PaceLimits;
  /** By principal, in the order of their last work. */
  readonly #own = new Map<string, Bucket>();
  readonly #heavy: Bucket;

  constructor(activity: Activity, limits: PaceLimits) {
    this.#activity = activity;
    this.#limits = limits;
    this.#heavy = new Bucket(limits.heavy, activity.now());
  }

  /** Call it for work that was done. */
  noteWork(principalId: string, ms: number): void {
    const now = this.#activity.now();
    const own = this.#own.get(principalId) ?? new Bucket(this.#limits.own, now - ms);
    if (own.levelMs(now) < 0) this.#heavy.take(ms, now);
    own.take(ms, now);
    this.#own.delete(principalId);
    this.#own.set(principalId, own);
    if (this.#own.size > MAX_KNOWN) this.#own.delete(this.#own.keys().next().value ?? '');
  }

  /** How long the work of the principal has to wait. */
  restMs(principalId: string): number {
    const own = this.#own.get(principalId);
    if (own === undefined) return 0;
    const now = this.#activity.now();
    const isHeavy = own.levelMs(now) < 0;
    return isHeavy && this.#activity.ofOthers(principalId) ? this.#heavy.restMs(now) : 0;
  }
}
