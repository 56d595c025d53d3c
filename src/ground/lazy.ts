// Work that is begun when somebody first asks for what comes of it.

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

  /** Undefined: nobody has asked, or it failed. */
  async ifBegun(): Promise<T | undefined> {
    return this.#begun?.catch(() => undefined);
  }
}
