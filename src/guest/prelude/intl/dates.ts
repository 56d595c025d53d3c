// Intl.DateTimeFormat, and the methods of Date that depend on the locale. The guest's time zone is UTC.
import { ask, number, optionKinds, plainOptions, specOf } from './ask.ts';
import { timeOfText } from './date-text.ts';
import { createService, hidden } from './service.ts';

const OPTIONS = optionKinds(
  'localeMatcher calendar numberingSystem hour12:flag hourCycle timeZone weekday era year month day dayPeriod',
  'hour minute second fractionalSecondDigits:number timeZoneName formatMatcher dateStyle timeStyle',
);

type Plain = Record<string, string | boolean>;

function inUtc(options: Plain): void {
  options.timeZone ??= 'UTC';
}

function ends(start: unknown, end: unknown): [string, string] {
  if (start === undefined || end === undefined) throw new TypeError('startDate or endDate cannot be undefined');
  return [number(start), number(end)];
}

const at = (date: unknown): string => number(date === undefined ? Date.now() : date);

export const DateTimeFormat = createService({
  type: 'DateTimeFormat',
  options: OPTIONS,
  callable: true,
  complete: inUtc,
  bound: { format: spec => (date?: unknown) => ask(spec, ['format', at(date)]) },
  calls: { formatToParts: (date?: unknown) => [at(date)], formatRange: ends, formatRangeToParts: ends },
});

const DATE = ['weekday', 'year', 'month', 'day'];
const TIME = ['dayPeriod', 'hour', 'minute', 'second', 'fractionalSecondDigits'];

type Shown = { readonly wanted: readonly string[]; readonly defaults: readonly string[]; readonly without?: string };
const BOTH: Shown = {
  wanted: [...DATE, ...TIME],
  defaults: ['year', 'month', 'day', 'hour', 'minute', 'second'],
};
const DAY: Shown = { wanted: DATE, defaults: ['year', 'month', 'day'], without: 'timeStyle' };
const CLOCK: Shown = { wanted: TIME, defaults: ['hour', 'minute', 'second'], without: 'dateStyle' };

/** By the language's rule: default fields are shown only if the options ask for no field of that kind. */
function specFor(locales: unknown, options: unknown, { wanted, defaults, without }: Shown): string {
  const plain: Plain = plainOptions(options, OPTIONS);
  inUtc(plain);
  if (without !== undefined && plain[without] !== undefined) {
    // The standard requires that locale, zone and values are checked first.
    ask(specOf('DateTimeFormat', locales, plain), ['format', number(0)]);
    throw new TypeError(`Invalid option : ${without}`);
  }
  const asked = (name: string) => plain[name] !== undefined;
  if (!asked('dateStyle') && !asked('timeStyle') && !wanted.some(asked))
    for (const name of defaults) plain[name] = 'numeric';
  return specOf('DateTimeFormat', locales, plain);
}

const ZONE = ' (Coordinated Universal Time)';
const INVALID = 'Invalid Date';

/** The dates that the engine itself parses as V8 does, only faster. */
const PLAIN =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,3})?)?Z)?$/;

/** Replaces Date by one that parses texts as Node does. */
function installReading(): void {
  const { parse } = Date;
  const timeOf = (text: string): number => (PLAIN.test(text) ? parse(text) : timeOfText(text));
  const Native = Date;
  const Reading = function (...given: unknown[]): unknown {
    if (new.target === undefined) return new Native().toString();
    const [only] = given;
    if (given.length !== 1 || only instanceof Native) return Reflect.construct(Native, given, new.target);
    const value = primitiveOf(only);
    return Reflect.construct(Native, [typeof value === 'string' ? timeOf(value) : value], new.target);
  };
  Object.defineProperty(Reading, 'prototype', { value: Native.prototype, writable: false });
  Object.defineProperty(Reading, 'name', { value: 'Date', configurable: true });
  Object.defineProperty(Reading, 'length', { value: 7, configurable: true });
  hidden(Reading, 'now', Native.now);
  hidden(Reading, 'UTC', Native.UTC);
  hidden(Reading, 'parse', (text: unknown) => timeOf(String(text)));
  hidden(Native.prototype, 'constructor', Reading);
  hidden(globalThis, 'Date', Reading);
}

/** Converts an object to a primitive value, with the hint "default" of the language. */
function primitiveOf(value: unknown): unknown {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return value;
  const own = (value as { [Symbol.toPrimitive]?: unknown })[Symbol.toPrimitive];
  const ways = typeof own === 'function' ? [own] : [Reflect.get(value, 'valueOf'), Reflect.get(value, 'toString')];
  for (const way of ways) {
    const result: unknown = typeof way === 'function' ? way.call(value, 'default') : value;
    if ((typeof result !== 'object' && typeof result !== 'function') || result === null) return result;
  }
  throw new TypeError('Cannot convert object to primitive value');
}

export function installDates(): void {
  installReading();
  const { getTime, toString: text, toTimeString: clock } = Date.prototype;
  for (const [name, shown] of [
    ['toLocaleString', BOTH],
    ['toLocaleDateString', DAY],
    ['toLocaleTimeString', CLOCK],
  ] as const)
    hidden(Date.prototype, name, function (this: Date, locales?: unknown, options?: unknown) {
      const time = getTime.call(this);
      return Number.isNaN(time) ? INVALID : ask(specFor(locales, options, shown), ['format', number(time)]);
    });
  // Other engines show the name of the zone too.
  for (const [name, plain] of [
    ['toString', text],
    ['toTimeString', clock],
  ] as const)
    hidden(Date.prototype, name, function (this: Date) {
      const shown = plain.call(this);
      return shown === INVALID ? shown : shown + ZONE;
    });
}
