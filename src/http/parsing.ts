// Turns for parsing: connections that have received data are parsed piece by piece, so that many of them, or one that sends
// much, do not keep the event loop from the others. Addresses take turns, then connections of an address.

/** A connection with data. `parse` parses one piece, and returns whether there is more to parse now. */
export type Parsed = { readonly address: string; parse(): boolean };

/** Maximum time of parsing between two turns of the event loop. */
const SLICE_MS = 4;
/** Maximum time that parsing waits for new connections. */
const ACCEPT_MS = 8;

export class ParsingTurns {
  /** By address, in the order of their turns. */
  readonly #waiting = new Map<string, Set<Parsed>>();
  readonly #ends: (() => void)[] = [];
  #sliceStartedAt: number | undefined;
  #isScheduled = false;
  #arrived = false;
  #waitsSince: number | undefined;

  /** Parses what the connection has received, at once if there is time left, else in turns. */
  enter(connection: Parsed): void {
    if (this.#waiting.size > 0 || !this.#hasTime() || this.#parse(connection)) this.#add(connection);
    this.#schedule();
  }

  /**
   * Ends a connection whose client has left, one per turn of the event loop: Node does most of the work, e.g. aborts a
   * request, after `end` returns.
   */
  end(end: () => void): void {
    this.#ends.push(end);
    this.#schedule();
  }

  /**
   * Call it for each new connection. Node accepts one per turn of the event loop, so more may be waiting, and among them a
   * health check: they are accepted before parsing goes on.
   */
  arrived(): void {
    this.#arrived = true;
  }

  /** Returns whether the connection has more to parse when the time is over. */
  #parse(connection: Parsed): boolean {
    while (connection.parse()) if (!this.#hasTime()) return true;
    return false;
  }

  #add(connection: Parsed): void {
    const { address } = connection;
    const connections = this.#waiting.get(address) ?? new Set();
    this.#waiting.set(address, connections.add(connection));
  }

  #hasTime(): boolean {
    const now = performance.now();
    this.#sliceStartedAt ??= now;
    return now - this.#sliceStartedAt < SLICE_MS;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#sliceStartedAt = undefined;
      this.#ends.shift()?.();
      if (!this.#waits()) this.#workOff();
      if (this.#waiting.size + this.#ends.length > 0) this.#schedule();
    });
  }

  #waits(): boolean {
    const now = performance.now();
    const waits = this.#arrived && now - (this.#waitsSince ?? now) < ACCEPT_MS;
    this.#arrived = false;
    this.#waitsSince = waits ? (this.#waitsSince ?? now) : undefined;
    return waits;
  }

  #workOff(): void {
    while (this.#waiting.size > 0 && this.#hasTime()) {
      const next = this.#takeNext();
      if (next?.parse()) this.#add(next);
    }
  }

  /** Moves the address to the end. */
  #takeNext(): Parsed | undefined {
    for (const [address, connections] of this.#waiting) {
      this.#waiting.delete(address);
      for (const connection of connections) {
        connections.delete(connection);
        if (connections.size > 0) this.#waiting.set(address, connections);
        return connection;
      }
    }
    return undefined;
  }
}
