// Slows down callers whose data keeps the main thread busy while others use the gateway. Without it, the work of one caller
// begins again in each turn of the event loop, and whatever others wait for takes twice as long. Pure, except for the clock.

/** Above this part of the main thread's time, the work of a caller is heavy, until it has used less for a while. */
const OWN = { share: 0.05, creditMs: 4, maxDebtMs: 10 };
/** What all heavy work together gets while others are active. */
const HEAVY = { share: 0.2, creditMs: 0.5, maxDebtMs: 10 };
/** A caller counts as active for this long after a request. */
const ACTIVE_MS = 250;
const MAX_KNOWN = 1_000;

/** Fills with a share of the time, up to the credit, and is emptied by work. Below 0, down to the debt, there was too much. */
class Bucket {
  readonly #limits: typeof OWN;
  #levelMs: number;
  #at: number;

  constructor(limits: typeof OWN, now: number) {
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

export class Pace {
  readonly #clock: () => number;
  /** By principal, in the order of their last work. */
  readonly #own = new Map<string, Bucket>();
  readonly #heavy: Bucket;
  /** The last two principals that sent requests. */
  #active: readonly { readonly principalId: string; readonly at: number }[] = [];

  constructor(clock = () => performance.now()) {
    this.#clock = clock;
    this.#heavy = new Bucket(HEAVY, clock());
  }

  /** Call it for each request. */
  noteActive(principalId: string): void {
    const others = this.#active.filter(other => other.principalId !== principalId);
    this.#active = [{ principalId, at: this.#clock() }, ...others.slice(0, 1)];
  }

  /** Call it for work that was done. */
  noteWork(principalId: string, ms: number): void {
    const now = this.#clock();
    const own = this.#own.get(principalId) ?? new Bucket(OWN, now - ms);
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
    const now = this.#clock();
    const isHeavy = own.levelMs(now) < 0;
    return isHeavy && this.#othersAreActive(principalId, now) ? this.#heavy.restMs(now) : 0;
  }

  #othersAreActive(principalId: string, now: number): boolean {
    return this.#active.some(other => other.principalId !== principalId && now - other.at < ACTIVE_MS);
  }
}
