// New connections go first. Node accepts one per turn of the event loop, so while they arrive, more may be waiting, and
// among them a health check. It would wait for the work of all earlier connections if that work began at once.

/** While connections keep arriving, accepting and other work take turns of these lengths. */
const ACCEPT_MS = 12;
const WORK_MS = 6;

export class Arrivals {
  #isExpecting = false;
  #hasArrived = false;
  #since = 0;
  readonly #now: () => number;

  constructor(clock = () => performance.now()) {
    this.#now = clock;
  }

  /** Call it for each new connection. */
  arrived(): void {
    this.#hasArrived = true;
    if (this.#isExpecting) return;
    this.#isExpecting = true;
    this.#since = this.#now();
    this.#watch();
  }

  /** Whether work should wait for a turn of the event loop, in which more connections may be accepted. */
  get areExpected(): boolean {
    return this.#isExpecting && (this.#now() - this.#since) % (ACCEPT_MS + WORK_MS) < ACCEPT_MS;
  }

  #watch(): void {
    setImmediate(() => {
      this.#isExpecting = this.#hasArrived;
      this.#hasArrived = false;
      if (this.#isExpecting) this.#watch();
    });
  }
}
