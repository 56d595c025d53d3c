// The operations that a guest may use on each type of Intl object. Arguments are checked here; results are plain JSON values.
import type { IntlType, Made } from './objects.ts';

type ObjectOf<Type extends IntlType> = Extract<Made, { type: Type }>['object'];
type Operations<Type extends IntlType> = Readonly<
  Record<string, (object: ObjectOf<Type>, args: readonly unknown[]) => unknown>
>;

const MAX_TEXT_CHARS = 200_000;
const MAX_SEGMENT_CHARS = 100_000;
const MAX_DIGITS = 2_000;
const LIST = { items: 10_000, chars: MAX_TEXT_CHARS };

export function textOf(value: unknown, maxChars = MAX_TEXT_CHARS): string {
  if (typeof value !== 'string') throw new TypeError('Expected text');
  if (value.length > maxChars) throw new RangeError(`Text of more than ${maxChars} characters is not formatted here`);
  return value;
}

/** A letter followed by the value as text: `n` for a number, `b` for a BigInt, `s` for decimal text. */
function numeric(value: unknown): number | bigint {
  const text = textOf(value, MAX_DIGITS);
  const digits = text.slice(1);
  if (text[0] === 'b') return BigInt(digits);
  // ICU formats decimal text exactly; TypeScript's types do not have that yet.
  return text[0] === 's' ? (digits as unknown as number) : Number(digits);
}

const number = (value: unknown): number => Number(numeric(value));
const date = (value: unknown): number | undefined => (value === null ? undefined : number(value));

export function list(value: unknown, max = LIST): string[] {
  if (!Array.isArray(value) || value.length > max.items)
    throw new RangeError(`A list of more than ${max.items} items is not formatted here`);
  let chars = 0;
  for (const item of value) chars += textOf(item).length;
  if (chars > max.chars) throw new RangeError(`More than ${max.chars} characters are not formatted here`);
  return value as string[];
}

type RangeFormat = {
  formatRange(start: unknown, end: unknown): string;
  formatRangeToParts(start: unknown, end: unknown): unknown;
};
type Unit = Intl.RelativeTimeFormatUnit;

const Collator: Operations<'Collator'> = {
  compare: (object, [one, other]) => object.compare(textOf(one), textOf(other)),
  resolvedOptions: object => object.resolvedOptions(),
};

const DateTimeFormat: Operations<'DateTimeFormat'> = {
  format: (object, [at]) => object.format(date(at)),
  formatToParts: (object, [at]) => object.formatToParts(date(at)),
  formatRange: (object, [start, end]) => (object as unknown as RangeFormat).formatRange(date(start), date(end)),
  formatRangeToParts: (object, [start, end]) =>
    (object as unknown as RangeFormat).formatRangeToParts(date(start), date(end)),
  resolvedOptions: object => object.resolvedOptions(),
};

const NumberFormat: Operations<'NumberFormat'> = {
  format: (object, [value]) => object.format(numeric(value)),
  formatToParts: (object, [value]) => object.formatToParts(numeric(value)),
  formatRange: (object, [start, end]) => (object as unknown as RangeFormat).formatRange(numeric(start), numeric(end)),
  formatRangeToParts: (object, [start, end]) =>
    (object as unknown as RangeFormat).formatRangeToParts(numeric(start), numeric(end)),
  resolvedOptions: object => object.resolvedOptions(),
};

const PluralRules: Operations<'PluralRules'> = {
  select: (object, [value]) => object.select(number(value)),
  selectRange: (object, [start, end]) =>
    (object as Intl.PluralRules & { selectRange(start: number, end: number): string }).selectRange(
      number(start),
      number(end),
    ),
  resolvedOptions: object => object.resolvedOptions(),
};

const RelativeTimeFormat: Operations<'RelativeTimeFormat'> = {
  format: (object, [value, unit]) => object.format(number(value), textOf(unit, 100) as Unit),
  formatToParts: (object, [value, unit]) => object.formatToParts(number(value), textOf(unit, 100) as Unit),
  resolvedOptions: object => object.resolvedOptions(),
};

const ListFormat: Operations<'ListFormat'> = {
  format: (object, [items]) => object.format(list(items)),
  formatToParts: (object, [items]) => object.formatToParts(list(items)),
  resolvedOptions: object => object.resolvedOptions(),
};

const DisplayNames: Operations<'DisplayNames'> = {
  of: (object, [code]) => object.of(textOf(code, 200)),
  resolvedOptions: object => object.resolvedOptions(),
};

const Segmenter: Operations<'Segmenter'> = {
  /** The start of each segment, and which segments are words. */
  segment: (object, [text]) => {
    const starts: number[] = [];
    const words: boolean[] = [];
    for (const { index, isWordLike } of object.segment(textOf(text, MAX_SEGMENT_CHARS))) {
      starts.push(index);
      if (isWordLike !== undefined) words.push(isWordLike);
    }
    return { starts, ...(words.length > 0 && { words }) };
  },
  resolvedOptions: object => object.resolvedOptions(),
};

const FIELDS = [
  ...['baseName', 'calendar', 'caseFirst', 'collation', 'hourCycle', 'language', 'numberingSystem', 'numeric'],
  ...['region', 'script'],
] as const;
const DETAILS = /^(?:calendars|collations|hourCycles|numberingSystems|textInfo|timeZones|weekInfo)$/;

const Locale: Operations<'Locale'> = {
  resolvedOptions: object => ({
    tag: object.toString(),
    ...Object.fromEntries(FIELDS.map(name => [name, object[name]])),
  }),
  maximize: object => object.maximize().toString(),
  minimize: object => object.minimize().toString(),
  /** Such details are properties in some versions of V8 and methods in others. */
  detail: (object, [name]) => {
    const field = textOf(name, 50);
    if (!DETAILS.test(field)) throw new TypeError(`Intl.Locale has no ${field}`);
    const holder = object as unknown as Record<string, unknown>;
    const method = holder[`get${field.charAt(0).toUpperCase()}${field.slice(1)}`];
    return typeof method === 'function' ? method.call(object) : holder[field];
  },
};

const OPERATIONS: { readonly [Type in IntlType]: Operations<Type> } = {
  Collator,
  DateTimeFormat,
  DisplayNames,
  ListFormat,
  Locale,
  NumberFormat,
  PluralRules,
  RelativeTimeFormat,
  Segmenter,
};

export function operate(made: Made, name: unknown, args: readonly unknown[]): unknown {
  const operations = OPERATIONS[made.type] as Operations<never>;
  const operation = typeof name === 'string' && Object.hasOwn(operations, name) ? operations[name] : undefined;
  if (operation === undefined) throw new TypeError(`Intl.${made.type} has no such method`);
  return operation(made.object as never, args);
}
