// Intl.Collator and localeCompare. The first comparisons of a run are sent to the host one by one. Later each text is sent
// once, for a rank that sorts like it: sorting thousands of texts would otherwise take a hundred thousand calls.
import * as is from '../intrinsics.ts';
import { ask, optionKinds, plainOptions, sendRaw, specOf } from './ask.ts';
import { createService, hidden } from './service.ts';
import { installSort, isRanked, isSorting, rankSorted } from './sorting.ts';

const OPTIONS = optionKinds('usage localeMatcher collation numeric:flag caseFirst sensitivity ignorePunctuation:flag');

/** So many comparisons outside of a sort are sent one by one. */
const FEW = 64;
const MAX_KEPT = 64;

type Compare = (one: string, other: string) => number;

/** Written with closures and Map for speed: it runs some hundred thousand times in a sort. */
function createCompare(spec: string): Compare {
  let compared = 0;
  let epoch = '';
  let ranks = new Map<string, number>();

  const rankAll = (texts: readonly string[]): readonly number[] => {
    const answer = sendRaw(`${spec}\n*${is.stringify(texts)}`);
    const end = answer.indexOf(' ');
    epoch = answer.slice(0, end);
    ranks = new Map();
    const found = is.parse(answer.slice(end + 1)) as number[];
    for (let i = 0; i < texts.length; i++) ranks.set(texts[i] as string, found[i] as number);
    return found;
  };
  const rank = (text: string): number => {
    if (rankSorted(text, rankAll)) {
      const found = ranks.get(text);
      if (found !== undefined) return found;
    }
    const [current = '', found] = sendRaw(`${spec}\n=${text}`).split(' ');
    if (current !== epoch) ranks = new Map();
    epoch = current;
    ranks.set(text, Number(found));
    return Number(found);
  };
  const byRank = (one: string, other: string): number => {
    for (;;) {
      const oneRank = ranks.get(one) ?? rank(one);
      const before = epoch;
      const otherRank = ranks.get(other) ?? rank(other);
      // Ranks of different epochs cannot be compared.
      if (before === epoch) return oneRank < otherRank ? -1 : oneRank > otherRank ? 1 : 0;
    }
  };
  return (one, other) => {
    if (one === other) return 0;
    const oneRank = ranks.get(one);
    const otherRank = oneRank === undefined ? undefined : ranks.get(other);
    if (otherRank !== undefined) {
      const by = (oneRank as number) - otherRank;
      return by < 0 ? -1 : by > 0 ? 1 : 0;
    }
    const few = !isSorting() && compared++ < FEW;
    return few || !isRanked(one) || !isRanked(other)
      ? (ask(spec, ['compare', one, other]) as number)
      : byRank(one, other);
  };
}

const compares = new Map<string, Compare>();

function compareFor(spec: string): Compare {
  const known = compares.get(spec);
  if (known !== undefined) return known;
  if (compares.size >= MAX_KEPT) compares.clear();
  const made = createCompare(spec);
  compares.set(spec, made);
  return made;
}

export const Collator = createService({
  type: 'Collator',
  options: OPTIONS,
  callable: true,
  bound: {
    compare: spec => {
      const compare = compareFor(spec);
      return (one: unknown, other: unknown) => compare(text(one), text(other));
    },
  },
});

type Given = Readonly<Record<string, unknown>>;

/** The last locale and options: a sort passes equal ones each time, often in a new object. */
type Last = { readonly locale: unknown; readonly options: Given; readonly compare: Compare };

const isSame = (last: Given, options: Given): boolean =>
  last.sensitivity === options.sensitivity &&
  last.numeric === options.numeric &&
  last.caseFirst === options.caseFirst &&
  last.ignorePunctuation === options.ignorePunctuation &&
  last.usage === options.usage &&
  last.collation === options.collation &&
  last.localeMatcher === options.localeMatcher;

const text = (value: unknown): string => (typeof value === 'string' ? value : `${value as string}`);

export function installCollation(): void {
  const plain = createCompare(specOf('Collator', undefined, {}));
  const none: Given = is.freeze({});
  let last: Last = { locale: undefined, options: none, compare: plain };
  const compareBy = (locales: unknown, given: unknown): Compare => {
    const options = (given ?? none) as Given;
    if (locales === last.locale && given !== null && isSame(last.options, options)) return last.compare;
    const known = plainOptions(given, OPTIONS);
    const compare = compareFor(specOf('Collator', locales, known));
    // A list of locales is not kept, because it may change before the next call.
    if (locales === undefined || typeof locales === 'string')
      last = { locale: locales, options: { ...none, ...known }, compare };
    return compare;
  };
  const methods = {
    localeCompare(this: unknown, that: unknown, locales?: unknown, options?: unknown): number {
      if (this === undefined || this === null)
        throw new TypeError('String.prototype.localeCompare called on null or undefined');
      const compare = locales === undefined && options === undefined ? plain : compareBy(locales, options);
      return compare(text(this), text(that));
    },
  };
  hidden(String.prototype, 'localeCompare', methods.localeCompare);
  installSort();
}
