// A fair queue: principals take turns, and within one principal, runs that have started go before new ones. A caller
// with 500 runs delays the first run of another by one turn, not by 500. With shares, turns depend on the time that
// each principal has used, so `done` must be called for each item that was taken.
import type { FairShares } from './fair-shares.ts';

/** The items of one principal. The lane with the lowest `turn` is served next. */
type Lane<T> = { readonly resumes: T[]; readonly starts: T[]; turn: number };

export class FairQueue<T> {
  /** Of lanes with the same turn the first is served, and then moved to the end. */
  readonly #lanes = new Map<string, Lane<T>>();
  readonly #shares: FairShares | undefined;
  #starts = 0;
  #resumes = 0;

  constructor(shares?: FairShares) {
    this.#shares = shares;
  }

  get size(): number {
    return this.#starts + this.#resumes;
  }

  get starts(): number {
    return this.#starts;
  }

  startsOf(principal: string): number {
    return this.#lanes.get(principal)?.starts.length ?? 0;
  }

  /** Whether items of other principals are waiting. */
  holdsOtherThan(principal: string): boolean {
    return this.#lanes.size > (this.#lanes.has(principal) ? 1 : 0);
  }

  /** Whether items of a principal are waiting for which this returns true. */
  holds(isWanted: (principal: string) => boolean): boolean {
    for (const principal of this.#lanes.keys()) if (isWanted(principal)) return true;
    return false;
  }

  /** Whether another principal waits whose turn is more than `marginMs` before this one's next. */
  holdsEarlierThan(principal: string, marginMs: number): boolean {
    const turn = (this.#shares?.turnOf(principal) ?? 0) - marginMs;
    for (const [other, lane] of this.#lanes) if (other !== principal && lane.turn < turn) return true;
    return false;
  }

  pushStart(principal: string, item: T): void {
    this.#lane(principal).starts.push(item);
    this.#starts += 1;
  }

  pushResume(principal: string, item: T): void {
    this.#lane(principal).resumes.push(item);
    this.#resumes += 1;
  }

  /** Removes and returns the next item that may go now. */
  shift(mayResume: (principal: string) => boolean, mayStart: (principal: string) => boolean): T | undefined {
    let next: { readonly principal: string; readonly lane: Lane<T>; readonly from: T[] } | undefined;
    for (const [principal, lane] of this.#lanes) {
      if (next !== undefined && next.lane.turn <= lane.turn) continue;
      const from = lane.resumes.length > 0 && mayResume(principal) ? lane.resumes : lane.starts;
      if (from.length > 0 && (from === lane.resumes || mayStart(principal))) next = { principal, lane, from };
    }
    if (next === undefined) return undefined;
    const { principal, lane, from } = next;
    const item = from.shift();
    if (from === lane.starts) this.#starts -= 1;
    else this.#resumes -= 1;
    this.#lanes.delete(principal);
    this.#shares?.begin(principal);
    if (lane.starts.length + lane.resumes.length > 0) {
      lane.turn = this.#shares?.turnOf(principal) ?? 0;
      this.#lanes.set(principal, lane);
    }
    return item;
  }

  /** Call it when an item that was taken for the principal is done. `ms`: how long it took. */
  done(principal: string, ms: number): void {
    if (this.#shares === undefined) return;
    this.#shares.end(principal, ms);
    const lane = this.#lanes.get(principal);
    if (lane !== undefined) lane.turn = this.#shares.turnOf(principal);
  }

  /** Removes and returns the newest start of the principal that has the most, if those are more than `than`. */
  takeNewestOfLargest(than: number): T | undefined {
    let largest: [principal: string, lane: Lane<T>] | undefined;
    for (const entry of this.#lanes) if (entry[1].starts.length > (largest?.[1].starts.length ?? than)) largest = entry;
    if (largest === undefined) return undefined;
    const [principal, { starts, resumes }] = largest;
    const item = starts.pop();
    this.#starts -= 1;
    if (starts.length + resumes.length === 0) this.#lanes.delete(principal);
    return item;
  }

  /** Removes and returns all items for which `gone` is true. */
  remove(gone: (item: T) => boolean): T[] {
    const taken: T[] = [];
    for (const [principal, lane] of this.#lanes) {
      for (const list of [lane.resumes, lane.starts])
        for (let i = list.length - 1; i >= 0; i--) if (gone(list[i] as T)) taken.push(...list.splice(i, 1));
      if (lane.resumes.length + lane.starts.length === 0) this.#lanes.delete(principal);
    }
    this.#starts = 0;
    this.#resumes = 0;
    for (const lane of this.#lanes.values()) {
      this.#starts += lane.starts.length;
      this.#resumes += lane.resumes.length;
    }
    return taken.reverse();
  }

  #lane(principal: string): Lane<T> {
    let lane = this.#lanes.get(principal);
    if (lane === undefined) {
      lane = { resumes: [], starts: [], turn: this.#shares?.arrive(principal) ?? 0 };
      this.#lanes.set(principal, lane);
    }
    return lane;
  }
}
