// Who has used little lately goes before who has used much, and before who is not known yet: keys can be invented, so a
// newcomer may be anybody. Nobody starves: whoever waits goes, at the latest, as one who came some time later.

/** What a caller has used counts half after this long. */
const HALF_LIFE_MS = 10_000;
/** How much later than it came a newcomer's turn is. With more, a first call would wait long behind one caller's many. */
const NEWCOMER_MS = 250;
/** The same for who has used most. */
const MAX_DELAY_MS = 2_000;
/** A caller that has used less than this counts as modest. */
const MODEST_MS = 1_000;
const MAX_KNOWN = 10_000;

export class RecentWork {
  /** In order of their last work. */
  readonly #used = new Map<string, { readonly ms: number; readonly atMs: number }>();

  note(principalId: string, ms: number, nowMs = performance.now()): void {
    const used = this.#usedBy(principalId, nowMs) ?? 0;
    this.#used.delete(principalId);
    this.#used.set(principalId, { ms: used + ms, atMs: nowMs });
    if (this.#used.size > MAX_KNOWN) this.#used.delete(this.#used.keys().next().value ?? '');
  }

  /** How much later than it came its turn is. */
  delayMs(principalId: string, nowMs = performance.now()): number {
    return Math.min(MAX_DELAY_MS, this.#usedBy(principalId, nowMs) ?? NEWCOMER_MS);
  }

  /** It is known, and has used little. */
  isModest(principalId: string, nowMs = performance.now()): boolean {
    const used = this.#usedBy(principalId, nowMs);
    return used !== undefined && used < MODEST_MS;
  }

  #usedBy(principalId: string, nowMs: number): number | undefined {
    const used = this.#used.get(principalId);
    return used && used.ms * 0.5 ** ((nowMs - used.atMs) / HALF_LIFE_MS);
  }
}
