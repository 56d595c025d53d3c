// Sorting by locale without one message a comparison: each text is sent once and gets a number that sorts as the text
// does. Numbers hold within one epoch; a ranking that is full, or has no number left between two, begins a new one.
import { randomBytes } from 'node:crypto';

const MAX_TEXTS = 50_000;
const MAX_CHARS = 4_000_000;

export class Ranking {
  readonly #compare: (one: string, other: string) => number;
  #texts: string[] = [];
  #ranks: number[] = [];
  #chars = 0;
  #epoch = newEpoch();

  constructor(compare: (one: string, other: string) => number) {
    this.#compare = compare;
  }

  /** All at once, in an epoch of their own. */
  rankAll(texts: readonly string[]): readonly [epoch: number, ranks: readonly number[]] {
    if (texts.length > MAX_TEXTS) throw new RangeError('Too many texts');
    this.#begin();
    const ranks = new Map<string, number>();
    for (const text of [...new Set(texts)].sort(this.#compare)) {
      const last = this.#texts.at(-1);
      if (last === undefined || this.#compare(last, text) !== 0) {
        this.#ranks.push(this.#texts.length);
        this.#texts.push(text);
        this.#chars += text.length;
      }
      ranks.set(text, this.#texts.length - 1);
    }
    return [this.#epoch, texts.map(text => ranks.get(text) ?? 0)];
  }

  rank(text: string): readonly [epoch: number, rank: number] {
    const at = this.#placeOf(text);
    const there = this.#texts[at];
    if (there !== undefined && this.#compare(there, text) === 0) return [this.#epoch, this.#ranks[at] as number];
    const rank = this.#between(at);
    if (rank === undefined || this.#texts.length >= MAX_TEXTS || this.#chars + text.length > MAX_CHARS) {
      this.#begin();
      return this.rank(text);
    }
    this.#texts.splice(at, 0, text);
    this.#ranks.splice(at, 0, rank);
    this.#chars += text.length;
    return [this.#epoch, rank];
  }

  /** The first text that does not sort before this one. */
  #placeOf(text: string): number {
    let low = 0;
    let high = this.#texts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(this.#texts[middle] as string, text) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #between(at: number): number | undefined {
    const before = this.#ranks[at - 1];
    const after = this.#ranks[at];
    if (before === undefined) return after === undefined ? 0 : after - 1;
    if (after === undefined) return before + 1;
    const middle = (before + after) / 2;
    return before < middle && middle < after ? middle : undefined;
  }

  #begin(): void {
    this.#texts = [];
    this.#ranks = [];
    this.#chars = 0;
    this.#epoch = newEpoch();
  }
}

/** Never one that was used: a run may have left the worker, and come back to another, with numbers of an old one. */
const newEpoch = (): number => randomBytes(6).readUIntBE(0, 6);
