// Principals whose work recently passed a deadline. They go after all others.

/** How long a principal is late. */
const LATE_FOR_MS = 30_000;
const MAX_LATE = 1_000;

export class LatePrincipals {
  /** Principal -> time until which it is late. */
  readonly #until = new Map<string, number>();

  has(principalId: string): boolean {
    return (this.#until.get(principalId) ?? 0) > performance.now();
  }

  note(principalId: string): void {
    this.#until.delete(principalId);
    this.#until.set(principalId, performance.now() + LATE_FOR_MS);
    if (this.#until.size > MAX_LATE) this.#until.delete(this.#until.keys().next().value ?? '');
  }
}
