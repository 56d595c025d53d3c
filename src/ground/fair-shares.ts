// What each principal has had of something that all share, say a processor, and from that whose turn is earlier. Whoever
// has had least goes first, with what its next piece of work will probably take. Time in which a principal wanted nothing
// is not made up for: it comes back level with those who were served meanwhile. So one that wants less than its share goes as soon
// as it comes, and the others' turns come in proportion, however many pieces of work each has waiting.

export type FairSharesOptions = {
  /** What a newcomer's first piece is taken to need, and counts: keys can be invented, so those who are known go before. */
  readonly newcomerMs: number;
  /** How much more than the others one can have had, as far as its turn goes. */
  readonly maxAheadMs: number;
};

/** One that has had so much more than the others is not modest. */
const MODEST_MS = 250;
const MAX_KNOWN = 10_000;

/** `pieceMs`: what a piece of its work takes; the newest count most. `open`: pieces under way. */
type Share = { hadMs: number; pieceMs: number | undefined; open: number };

export class FairShares {
  readonly #newcomerMs: number;
  readonly #maxAheadMs: number;
  /** The most that one of those served had had when it was its turn. */
  #levelMs = 0;
  /** In order of their last work. */
  readonly #shares = new Map<string, Share>();

  constructor({ newcomerMs, maxAheadMs }: FairSharesOptions) {
    this.#newcomerMs = newcomerMs;
    this.#maxAheadMs = maxAheadMs;
  }

  /** The turn of one that begins to wait: the lower, the earlier. */
  arrive(principalId: string): number {
    const share = this.#shareOf(principalId);
    share.hadMs = Math.max(share.hadMs, this.#levelMs);
    return this.turnOf(principalId);
  }

  /** The turn of one that has waited on. */
  turnOf(principalId: string): number {
    const { hadMs, pieceMs = this.#newcomerMs, open } = this.#shareOf(principalId);
    return hadMs + pieceMs * (1 + open);
  }

  /** It is served. Who is served without having waited arrives all the same. */
  begin(principalId: string): void {
    const share = this.#shareOf(principalId);
    this.#levelMs = Math.max(this.#levelMs, share.hadMs);
    share.open += 1;
  }

  /** What it was served with is done, and took so long. */
  end(principalId: string, ms: number): void {
    const share = this.#shareOf(principalId);
    share.open = Math.max(0, share.open - 1);
    const countsMs = share.pieceMs === undefined ? Math.max(ms, this.#newcomerMs) : ms;
    share.hadMs = Math.min(share.hadMs + countsMs, this.#levelMs + this.#maxAheadMs);
    share.pieceMs = Math.min(share.pieceMs === undefined ? ms : (share.pieceMs + ms) / 2, this.#maxAheadMs);
    // The newest goes to the end.
    this.#shares.delete(principalId);
    this.#shares.set(principalId, share);
  }

  /** Something of its work is done. */
  isKnown(principalId: string): boolean {
    return this.#shares.get(principalId)?.pieceMs !== undefined;
  }

  /** It is known, and has not had much more than the others. */
  isModest(principalId: string): boolean {
    return this.isKnown(principalId) && this.#shareOf(principalId).hadMs < this.#levelMs + MODEST_MS;
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
