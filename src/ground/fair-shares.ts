// Fair shares of a resource, e.g. a processor: records how much time each principal has used. The turn is earliest for
// the principal with the least used time, including the estimate for its next job. Unused time is saved up only to a small
// credit: after a pause a principal continues just below the level of those served meanwhile. So one that needs less than
// its share is served at once, and the others in proportion, however many jobs each has waiting.

export type FairSharesOptions = {
  /** Minimum time that an unknown principal's first job counts: anyone can invent keys, so known ones go first. */
  readonly newcomerMs: number;
  /** Maximum by which a principal's used time may exceed the level of the others. */
  readonly maxAheadMs: number;
  /** Maximum by which it may be less. Several short jobs in a row then are served at once. Default 0. */
  readonly creditMs?: number;
};

/** A principal that has used this much more than the others is not modest. */
const MODEST_MS = 250;
const MAX_KNOWN = 10_000;

/** `hadMs`: used time. `pieceMs`: average time of a job, weighted to the latest. `open`: number of running jobs. */
type Share = { hadMs: number; pieceMs: number | undefined; open: number };

export class FairShares {
  readonly #newcomerMs: number;
  readonly #maxAheadMs: number;
  readonly #creditMs: number;
  /** The highest used time of a principal at the moment it was served. */
  #levelMs = 0;
  /** Ordered by the principals' last job. */
  readonly #shares = new Map<string, Share>();

  constructor({ newcomerMs, maxAheadMs, creditMs = 0 }: FairSharesOptions) {
    this.#newcomerMs = newcomerMs;
    this.#maxAheadMs = maxAheadMs;
    this.#creditMs = creditMs;
  }

  /** Returns the turn of a principal that begins to wait. Lower turns are served earlier. */
  arrive(principalId: string): number {
    const share = this.#shareOf(principalId);
    share.hadMs = Math.max(share.hadMs, this.#levelMs - this.#creditMs);
    return this.turnOf(principalId);
  }

  /** Returns the turn of a principal that is still waiting. */
  turnOf(principalId: string): number {
    const { hadMs, pieceMs = this.#newcomerMs, open } = this.#shareOf(principalId);
    return hadMs + pieceMs * (1 + open);
  }

  /** Call it when a job starts. `arrive` must have been called before, even if the principal did not wait. */
  begin(principalId: string): void {
    const share = this.#shareOf(principalId);
    this.#levelMs = Math.max(this.#levelMs, share.hadMs);
    share.open += 1;
  }

  /** Call it when a job is done. `ms`: how long it took. */
  end(principalId: string, ms: number): void {
    const share = this.#shareOf(principalId);
    share.open = Math.max(0, share.open - 1);
    const countsMs = share.pieceMs === undefined ? Math.max(ms, this.#newcomerMs) : ms;
    share.hadMs = Math.min(share.hadMs + countsMs, this.#levelMs + this.#maxAheadMs);
    share.pieceMs = Math.min(share.pieceMs === undefined ? ms : (share.pieceMs + ms) / 2, this.#maxAheadMs);
    // Moves the principal to the end of the order.
    this.#shares.delete(principalId);
    this.#shares.set(principalId, share);
  }

  /** Whether a job of the principal has been done. */
  isKnown(principalId: string): boolean {
    return this.pieceMsOf(principalId) !== undefined;
  }

  /** Whether the principal is known and has not used much more than the others. */
  isModest(principalId: string): boolean {
    return this.isKnown(principalId) && this.#shareOf(principalId).hadMs < this.#levelMs + MODEST_MS;
  }

  /** The average time of the principal's jobs, weighted to the latest. Undefined if none has been done. */
  pieceMsOf(principalId: string): number | undefined {
    return this.#shares.get(principalId)?.pieceMs;
  }

  #shareOf(principalId: string): Share {
    let share = this.#shares.get(principalId);
    if (share === undefined) {
      share = { hadMs: this.#levelMs, pieceMs: undefined, open: 0 };
      this.#shares.set(principalId, share);
      if (this.#shares.size > MAX_KNOWN) this.#shares.delete(this.#shares.keys().next().value ?? '');
    }
    return share;
  }
}
