// A value that is created asynchronously when it is first needed.

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

  /** Undefined if it was not needed yet or could not be created. */
  async ifBegun(): Promise<T | undefined> {
    return this.#begun?.catch(() => undefined);
  }
}
