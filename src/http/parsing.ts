// Turns for parsing: connections that have received data are parsed piece by piece, so that many of them, or one that sends
// much, do not keep the event loop from the others. Kinds of data take turns, then addresses, then connections of an address.
import type { Arrivals } from '../ground/arrivals.ts';

/**
 * A health check, the beginning of another request, on the connection of a known caller or on another, or what can be much:
 * the rest of a request, and pipelined requests.
 */
const KINDS = ['probe', 'known', 'beginning', 'rest'] as const;
export type DataKind = (typeof KINDS)[number];

/** A connection with data. */
export type Parsed = {
  readonly address: string;
  /** Of the data that is parsed next. */
  readonly dataKind: DataKind;
  /** Parses one piece. Returns whether there is more to parse now. */
  parse(): boolean;
};

/** Maximum time of parsing between two turns of the event loop. */
const SLICE_MS = 0.4;

export class ParsingTurns {
  readonly #waiting: Record<DataKind, AddressTurns> = {
    probe: new AddressTurns(),
    known: new AddressTurns(),
    beginning: new AddressTurns(),
    rest: new AddressTurns(),
  };
  #order: readonly DataKind[] = KINDS;
  readonly #ends: (() => void)[] = [];
  #sliceStartedAt: number | undefined;
  #isScheduled = false;
  readonly #arrivals: Arrivals;

  constructor(arrivals: Arrivals) {
    this.#arrivals = arrivals;
  }

  /** Parses what the connection has received, at once if there is time left, else in turns. */
  enter(connection: Parsed): void {
    const waits = this.#isWaiting || this.#arrivals.areExpected || !this.#hasTime();
    if (waits || this.#parse(connection)) this.#add(connection);
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

  /** Returns whether the connection has more to parse when the time is over. */
  #parse(connection: Parsed): boolean {
    while (connection.parse()) if (!this.#hasTime()) return true;
    return false;
  }

  get #isWaiting(): boolean {
    return KINDS.some(kind => !this.#waiting[kind].isEmpty);
  }

  #add(connection: Parsed): void {
    this.#waiting[connection.dataKind].add(connection);
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
      if (!this.#arrivals.areExpected) {
        this.#ends.shift()?.();
        this.#workOff();
      }
      if (this.#isWaiting || this.#ends.length > 0) this.#schedule();
    });
  }

  #workOff(): void {
    while (this.#isWaiting && this.#hasTime()) {
      const next = this.#takeNext();
      if (next?.parse()) this.#add(next);
    }
  }

  #takeNext(): Parsed | undefined {
    const kind = this.#order.find(kind => !this.#waiting[kind].isEmpty);
    if (kind === undefined) return undefined;
    this.#order = [...this.#order.filter(other => other !== kind), kind];
    return this.#waiting[kind].take();
  }
}

/** Connections by address, in the order of their turns. */
class AddressTurns {
  readonly #waiting = new Map<string, Set<Parsed>>();

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  add(connection: Parsed): void {
    const { address } = connection;
    const connections = this.#waiting.get(address) ?? new Set();
    this.#waiting.set(address, connections.add(connection));
  }

  /** Moves the address to the end. */
  take(): Parsed | undefined {
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
