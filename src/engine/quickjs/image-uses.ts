// Counts the runs that need an image, queued ones too. A retired image is dropped when its last run has ended.

export class ImageUses {
  readonly #uses = new Map<number, number>();
  readonly #retired = new Set<number>();
  readonly #forget: (imageId: number) => void;

  constructor(forget: (imageId: number) => void) {
    this.#forget = forget;
  }

  /** Marks an image that no new run will use. */
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
