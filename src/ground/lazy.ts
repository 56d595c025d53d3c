// A value that is made when it is first needed.

export class Lazy<T> {
  readonly #work: () => Promise<T>;
  #begun: Promise<T> | undefined;

  constructor(work: () => Promise<T>) {
    this.#work = work;
  }

  get(): Promise<T> {
    this.#begun ??= this.#work();
    return this.#begun;
  }

  /** Undefined: not needed yet, or it could not be made. */
  async ifBegun(): Promise<T | undefined> {
    return this.#begun?.catch(() => undefined);
  }
}
