// Intl.Collator and localeCompare. The first comparisons of a run go to the host one by one; from then on each text is
// sent once, for a number that sorts as the text does: sorting thousands would otherwise cross a hundred thousand times.
import { ask, type OptionKinds, plainOptions, specOf, tell } from './ask.ts';
import { createService, hidden } from './service.ts';

const OPTIONS: OptionKinds = {
  usage: 'text',
  localeMatcher: 'text',
  collation: 'text',
  numeric: 'flag',
  caseFirst: 'text',
  sensitivity: 'text',
  ignorePunctuation: 'flag',
};

/** Comparisons that are sent as they are. */
const FEW = 64;
/** A longer text is not worth keeping. */
const MAX_RANKED_CHARS = 400;
const MAX_KEPT = 64;

type Compare = (one: string, other: string) => number;

/** Closures and plain methods, since it runs some hundred thousand times in a sort. */
function createCompare(spec: string): Compare {
  let compared = 0;
  let epoch = '';
  let ranks = new Map<string, number>();

  const rank = (text: string): number => {
    const [current = '', found] = tell(`${spec}\n=${text}`).split(' ');
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
      // Numbers of two epochs say nothing of each other.
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
    const few = compared++ < FEW;
    return few || !isRanked(one) || !isRanked(other)
      ? (ask(spec, ['compare', one, other]) as number)
      : byRank(one, other);
  };
}

/** It is sent as it is: lone surrogates would be lost. */
const isRanked = (text: string): boolean =>
  text.length <= MAX_RANKED_CHARS && (text as string & { isWellFormed(): boolean }).isWellFormed();

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

/** Says all that a Collator reads of its options; much quicker than describing it to the host each time. */
const keyOf = (locale: string, options: Given): string =>
  `${locale}|${options.usage}|${options.localeMatcher}|${options.collation}|${options.numeric}|${options.caseFirst}|${options.sensitivity}|${options.ignorePunctuation}`;

const text = (value: unknown): string => (typeof value === 'string' ? value : `${value as string}`);

export function installCollation(): void {
  const plain = createCompare(specOf('Collator', undefined, {}));
  const byKey = new Map<string, Compare>();
  const compareBy = (locales: unknown, options: unknown): Compare => {
    const simple = (locales === undefined || typeof locales === 'string') && options !== null;
    if (!simple) return compareFor(specOf('Collator', locales, plainOptions(options, OPTIONS)));
    const key = options === undefined ? (locales ?? '') : keyOf(locales ?? '', options as Given);
    const known = byKey.get(key);
    if (known !== undefined) return known;
    const made = compareFor(specOf('Collator', locales, plainOptions(options, OPTIONS)));
    if (byKey.size >= MAX_KEPT) byKey.clear();
    byKey.set(key, made);
    return made;
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
}
