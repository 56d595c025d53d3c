// Which images runs still need: a retired one goes when the last of its runs has ended. Queued runs count too.

export class ImageUses {
  readonly #uses = new Map<number, number>();
  readonly #retired = new Set<number>();
  readonly #forget: (imageId: number) => void;

  constructor(forget: (imageId: number) => void) {
    this.#forget = forget;
  }

  /** No new run will need it. */
  retire(imageId: number): void {
    this.#retired.add(imageId);
    this.count(imageId, 0);
  }

  count(imageId: number, change: 1 | 0 | -1): void {
    const uses = (this.#uses.get(imageId) ?? 0) + change;
    if (uses > 0) this.#uses.set(imageId, uses);
    else this.#uses.delete(imageId);
    if (uses === 0 && this.#retired.delete(imageId)) this.#forget(imageId);
  }
}
