// Remembers keys that the API refused. Tokens with such a key that were issued before are invalid, so that their clients sign
// in again. Kept by fingerprint for a few minutes in this process; later tokens with the same key are accepted.

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

  /** `issuedAtMs` is rounded down to whole seconds. */
  refuses(fingerprint: string, issuedAtMs: number): boolean {
    const refusedAtMs = this.#refusedAtMs.get(fingerprint);
    if (refusedAtMs === undefined) return false;
    if (refusedAtMs + MEMORY_MS > this.#now()) return issuedAtMs + 999 < refusedAtMs;
    this.#refusedAtMs.delete(fingerprint);
    return false;
  }
}
