// Sorting by locale. All texts of a list are ranked in one message to the host, and the list is first put in the order of
// the ranks. A merge sort that detects runs then calls the agent's comparison about once per item. The comparison alone
// decides the order; the ranks only save calls.
import * as is from '../intrinsics.ts';
import { hidden } from './service.ts';

/** Lists of at most this length are sorted by the engine. */
const FEW = 32;
/** Longer texts are not ranked, because keeping them takes too much memory. */
const MAX_RANKED_CHARS = 400;
const MAX_SORTED = 50_000;
const MAX_SORTED_CHARS = 1_000_000;

/** The list that is being sorted, until its texts are ranked. The first comparison shows which texts will be compared. */
let sorted: readonly unknown[] | undefined;
/** The ranks of the items, in the last list of which all items were ranked. */
let itemRanks: readonly number[] | undefined;

export const isSorting = (): boolean => sorted !== undefined;

/** Texts are sent unescaped, which would lose lone surrogates, so texts with any are not ranked. */
export const isRanked = (text: string): boolean =>
  text.length <= MAX_RANKED_CHARS && (text as string & { isWellFormed(): boolean }).isWellFormed();

/** Ranks all texts like `text`: the items of the sorted list, or one field of each. Does so once per sort. */
export function rankSorted(text: string, rankAll: (texts: readonly string[]) => readonly number[]): boolean {
  const list = sorted;
  sorted = undefined;
  const texts = list === undefined ? undefined : textsOf(list, text);
  if (texts === undefined) return false;
  const ranks = rankAll(texts);
  itemRanks = texts.length === list?.length ? ranks : undefined;
  return true;
}

type Reader = (item: unknown) => unknown;

const FORMS: readonly ((text: string) => string)[] = [
  text => text,
  text => text.toLowerCase(),
  text => text.toUpperCase(),
  text => text.trim(),
];
const MAX_DEPTH = 3;

function textsOf(list: readonly unknown[], text: string): string[] | undefined {
  const read = readerOf(list[0], text, 0) ?? readerOf(list[1], text, 0);
  if (read === undefined) return undefined;
  const texts: string[] = [];
  let chars = 0;
  for (let i = 0; i < list.length; i++) {
    const item = read(list[i]);
    if (typeof item !== 'string' || !isRanked(item)) continue;
    texts.push(item);
    chars += item.length;
  }
  return chars > MAX_SORTED_CHARS ? undefined : texts;
}

/** A function that reads from any item what `text` is of this one: the item or a field of it, possibly in one of FORMS. */
function readerOf(item: unknown, text: string, depth: number): Reader | undefined {
  if (typeof item === 'string') {
    const form = FORMS.find(form => form(item) === text);
    return form && (other => (typeof other === 'string' ? form(other) : undefined));
  }
  if (typeof item !== 'object' || item === null || depth === MAX_DEPTH) return undefined;
  for (const name of is.keys(item)) {
    const read = readerOf((item as Record<string, unknown>)[name], text, depth + 1);
    if (read !== undefined) return other => read((other as Record<string, unknown> | null | undefined)?.[name]);
  }
  return undefined;
}

type Comparison = (one: unknown, other: unknown) => unknown;

const typedSort = Float64Array.prototype.sort;

/** The indexes of the items in the order of their ranks; items of equal rank keep their order. */
function placesByRank(ranks: readonly number[]): Uint32Array {
  const { length } = ranks;
  const keys = new Float64Array(length);
  for (let i = 0; i < length; i++) keys[i] = (ranks[i] as number) * length + i;
  typedSort.call(keys);
  const places = new Uint32Array(length);
  for (let i = 0; i < length; i++) places[i] = (keys[i] as number) % length;
  return places;
}

/** The indexes of the list in a stable order by `compare`; undefined if the items were not ranked. */
function orderOf(list: readonly unknown[], compare: Comparison): Uint32Array | undefined {
  itemRanks = undefined;
  compare(list[0], list[1]);
  if (itemRanks === undefined) return undefined;
  const places = placesByRank(itemRanks);
  itemRanks = undefined;
  // Items that compare as equal keep their original order, whatever their ranks.
  const isBefore = (one: number, other: number): boolean => {
    const by = +(compare(list[one], list[other]) as number);
    return by < 0 || (!(by > 0) && one < other);
  };
  return merge(places, runsIn(places, isBefore), isBefore);
}

type IsBefore = (one: number, other: number) => boolean;

/** The starts of the runs, and the end. Descending runs are reversed. */
function runsIn(places: Uint32Array, isBefore: IsBefore): number[] {
  const { length } = places;
  const at = (i: number) => places[i] as number;
  const starts: number[] = [];
  for (let start = 0; start < length; ) {
    starts.push(start);
    let end = start + 1;
    if (end < length && isBefore(at(end), at(start))) {
      do end++;
      while (end < length && isBefore(at(end), at(end - 1)));
      for (let low = start, high = end - 1; low < high; low++, high--) {
        const kept = at(low);
        places[low] = at(high);
        places[high] = kept;
      }
    } else while (end < length && isBefore(at(end - 1), at(end))) end++;
    start = end;
  }
  starts.push(length);
  return starts;
}

function merge(places: Uint32Array, runs: readonly number[], isBefore: IsBefore): Uint32Array {
  let from = places;
  let to: Uint32Array = new Uint32Array(places.length);
  let starts = runs;
  while (starts.length > 2) {
    const merged: number[] = [];
    for (let run = 0; run < starts.length - 1; run += 2) {
      const start = starts[run] as number;
      const middle = starts[run + 1] as number;
      const end = starts[run + 2] ?? middle;
      merged.push(start);
      let left = start;
      let right = middle;
      for (let at = start; at < end; at++) {
        const takeLeft = right >= end || (left < middle && !isBefore(from[right] as number, from[left] as number));
        to[at] = (takeLeft ? from[left++] : from[right++]) as number;
      }
    }
    merged.push(places.length);
    [from, to] = [to, from];
    starts = merged;
  }
  return from;
}

/** Sort never compares undefined values and holes, so lists with any are left to the engine. */
function isWhole(list: readonly unknown[]): boolean {
  for (let i = 0; i < list.length; i++) if (list[i] === undefined) return false;
  return true;
}

export function installSort(): void {
  const { sort, toSorted } = Array.prototype;
  const sortBy = (list: unknown[], compare: Comparison, plain: (compare: Comparison) => unknown[], copied: boolean) => {
    const before = sorted;
    sorted = list;
    try {
      const order = isWhole(list) ? orderOf(list, compare) : undefined;
      if (order === undefined) return plain(compare);
      const found: unknown[] = [];
      for (let i = 0; i < order.length; i++) found.push(list[order[i] as number]);
      if (copied) return found;
      for (let i = 0; i < found.length; i++) list[i] = found[i];
      return list;
    } finally {
      sorted = before;
    }
  };
  for (const [name, plain] of [
    ['sort', sort],
    ['toSorted', toSorted],
  ] as const)
    hidden(Array.prototype, name, function (this: unknown[], compare?: unknown) {
      if (typeof compare !== 'function' || !is.isArray(this) || this.length <= FEW || this.length > MAX_SORTED)
        return plain.call(this, compare as undefined);
      const asEver = (by: Comparison) => plain.call(this, by as (one: unknown, other: unknown) => number);
      return sortBy(this, compare as Comparison, asEver, name === 'toSorted');
    });
}
