// Keys that the API has just refused: tokens made from them before that moment are no good, so that their clients sign in
// again. By fingerprint, for a few minutes, in this process only; a new token of the same key is not affected.

const MEMORY_MS = 5 * 60_000;
const MAX_KEYS = 10_000;

export class RefusedKeys {
  readonly #now: () => number;
  readonly #refusedAtMs = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  note(fingerprint: string): void {
    this.#refusedAtMs.delete(fingerprint);
    this.#refusedAtMs.set(fingerprint, this.#now());
    const [oldest] = this.#refusedAtMs.keys();
    if (this.#refusedAtMs.size > MAX_KEYS && oldest !== undefined) this.#refusedAtMs.delete(oldest);
  }

  /** `issuedAtMs`: in whole seconds, rounded down. */
  refuses(fingerprint: string, issuedAtMs: number): boolean {
    const refusedAtMs = this.#refusedAtMs.get(fingerprint);
    if (refusedAtMs === undefined) return false;
    if (refusedAtMs + MEMORY_MS > this.#now()) return issuedAtMs + 999 < refusedAtMs;
    this.#refusedAtMs.delete(fingerprint);
    return false;
  }
}
