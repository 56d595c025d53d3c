// Sorting by locale without a message for each comparison: each text is sent once and gets a number (rank) with the same
// order. Ranks are valid within one epoch. A new epoch begins when the ranking is full or no number is left between two.
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

  /** Ranks all texts at once, in a new epoch. */
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

  /** The index of the first text that does not sort before this one. */
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

/** Random, so that it is never reused: a run may move to another worker and still have ranks of an old epoch. */
const newEpoch = (): number => randomBytes(6).readUIntBE(0, 6);
