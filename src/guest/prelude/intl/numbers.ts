// Intl.NumberFormat, PluralRules and RelativeTimeFormat, and toLocaleString of numbers.
import { ask, number, numeric, optionKinds, plainOptions, specOf } from './ask.ts';
import { createService, hidden } from './service.ts';

const DIGITS = [
  'minimumIntegerDigits:number minimumFractionDigits:number maximumFractionDigits:number',
  'minimumSignificantDigits:number maximumSignificantDigits:number roundingIncrement:number',
  'roundingMode roundingPriority trailingZeroDisplay',
];

const OPTIONS = optionKinds(
  'localeMatcher numberingSystem style currency currencyDisplay currencySign unit unitDisplay',
  ...DIGITS,
  'notation compactDisplay useGrouping:either signDisplay',
);

/** Both ends of a range are required; undefined would become NaN. */
function ends(start: unknown, end: unknown): [string, string] {
  if (start === undefined || end === undefined) throw new TypeError('start or end is undefined');
  return [numeric(start), numeric(end)];
}

const inUnit = (value: unknown, unit: unknown): [string, string] => [number(value), `${unit as string}`];

export const NumberFormat = createService({
  type: 'NumberFormat',
  options: OPTIONS,
  callable: true,
  bound: { format: spec => (value: unknown) => ask(spec, ['format', numeric(value)]) },
  calls: { formatToParts: (value: unknown) => [numeric(value)], formatRange: ends, formatRangeToParts: ends },
});

export const PluralRules = createService({
  type: 'PluralRules',
  options: optionKinds('localeMatcher type', ...DIGITS),
  calls: {
    select: (value: unknown) => [number(value)],
    selectRange: (start: unknown, end: unknown) => {
      ends(start, end);
      return [number(start), number(end)];
    },
  },
});

export const RelativeTimeFormat = createService({
  type: 'RelativeTimeFormat',
  options: optionKinds('localeMatcher numberingSystem style numeric'),
  calls: { format: inUnit, formatToParts: inUnit },
});

export function installNumbers(): void {
  const plain = specOf('NumberFormat', undefined, {});
  const specFor = (locales: unknown, options: unknown): string =>
    locales === undefined && options === undefined
      ? plain
      : specOf('NumberFormat', locales, plainOptions(options, OPTIONS));
  const { valueOf: numberValue } = Number.prototype;
  const { valueOf: bigintValue } = BigInt.prototype;
  hidden(Number.prototype, 'toLocaleString', function (this: number, locales?: unknown, options?: unknown) {
    return ask(specFor(locales, options), ['format', numeric(numberValue.call(this))]);
  });
  hidden(BigInt.prototype, 'toLocaleString', function (this: bigint, locales?: unknown, options?: unknown) {
    return ask(specFor(locales, options), ['format', numeric(bigintValue.call(this))]);
  });
}
