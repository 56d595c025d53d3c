// Dates, numbers and text by locale give the same results on every engine as in this Node.
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Harness } from './harness.ts';

const LOCALES = ['en-US', 'en-GB', 'de', 'de-AT', 'fr-CA', 'es', 'ja', 'ar-EG', 'hi', 'tr', 'sv', 'zh-Hans-CN', 'th'];
const ZONES = [
  'UTC',
  'America/New_York',
  'Europe/Berlin',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  '+05:30',
  'Nope/Zone',
];

const locale = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...LOCALES) },
  fc.constantFrom('x', 'en_US', 'de-DE-u-nu-arab'),
);
const pick = (...values: (string | number | boolean)[]) => fc.constantFrom(...values);
const some = (shape: Record<string, fc.Arbitrary<unknown>>) => fc.record(shape, { requiredKeys: [] });

const dateOptions = some({
  timeZone: fc.constantFrom(...ZONES),
  weekday: pick('long', 'short', 'narrow'),
  year: pick('numeric', '2-digit'),
  month: pick('numeric', '2-digit', 'long', 'short'),
  day: pick('numeric', '2-digit'),
  hour: pick('numeric', '2-digit'),
  minute: pick('numeric', '2-digit'),
  hour12: pick(true, false),
  timeZoneName: pick('short', 'longOffset', 'long'),
  fractionalSecondDigits: pick(1, 3, 9),
});
const styles = some({
  dateStyle: pick('full', 'long', 'medium', 'short'),
  timeStyle: pick('full', 'long', 'medium', 'short'),
  timeZone: fc.constantFrom(...ZONES),
});
const numberOptions = some({
  style: pick('decimal', 'percent', 'currency', 'unit'),
  currency: pick('EUR', 'USD', 'JPY', 'XX'),
  currencyDisplay: pick('code', 'name'),
  unit: pick('megabyte', 'kilometer-per-hour', 'parsec'),
  unitDisplay: pick('long', 'narrow'),
  notation: pick('compact', 'scientific', 'engineering'),
  minimumIntegerDigits: pick(2, 5, 22),
  minimumFractionDigits: pick(0, 3),
  maximumFractionDigits: pick(0, 1, 200),
  useGrouping: pick(true, false, 'min2'),
  signDisplay: pick('always', 'exceptZero'),
});
const collatorOptions = some({
  sensitivity: pick('base', 'accent', 'case', 'variant', 'none'),
  numeric: pick(true, false),
  caseFirst: pick('upper', 'lower'),
  ignorePunctuation: pick(true),
});
const time = fc.oneof(fc.integer({ min: -62e12, max: 4e12 }), fc.constantFrom(0, Number.NaN, 9e15, 1709647629000));
const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, -0, 1e21, 1234567.891, Number.NaN, -Infinity));
const word = fc.oneof(
  fc.constantFrom('résumé', 'Resume', 'item 10', 'item 9', 'Straße', 'İi', 'co-op', 'ångström', 'zebra', 'Ω', '日本'),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.string({ unit: 'binary', maxLength: 4 }),
);

/** Limits for large cases on a busy machine. */
const SLOW = { cpuMs: 20_000, wallMs: 30_000 };

type Case = readonly [what: string, ...args: unknown[]];
const on = (what: string, ...args: fc.Arbitrary<unknown>[]): fc.Arbitrary<Case> =>
  fc.tuple(fc.constant(what), ...args) as fc.Arbitrary<unknown> as fc.Arbitrary<Case>;

const CASES = fc.oneof(
  on('date', fc.constantFrom('toLocaleString', 'toLocaleDateString', 'toLocaleTimeString'), time, locale, dateOptions),
  on('date', fc.constantFrom('toLocaleString', 'toLocaleDateString', 'toLocaleTimeString'), time, locale, styles),
  on('parts', fc.constant('DateTimeFormat'), time, locale, dateOptions),
  on('range', fc.constant('DateTimeFormat'), time, time, locale, styles),
  on('number', number, locale, numberOptions),
  on('bigint', fc.bigInt().map(String), locale, numberOptions),
  on('parts', fc.constant('NumberFormat'), number, locale, numberOptions),
  on('resolved', fc.constantFrom('NumberFormat', 'DateTimeFormat', 'Collator', 'PluralRules', 'Segmenter'), locale),
  on('compare', word, word, locale, collatorOptions),
  on('plural', number, locale, some({ type: pick('ordinal', 'cardinal') })),
  on(
    'relative',
    number,
    pick('day', 'quarters', 'week', 'eon'),
    locale,
    some({ numeric: pick('auto'), style: pick('short') }),
  ),
  on(
    'list',
    fc.array(word, { maxLength: 4 }),
    locale,
    some({ type: pick('disjunction', 'unit'), style: pick('narrow') }),
  ),
  on(
    'names',
    fc.constantFrom('US', 'EUR', 'de-AT', 'Latn', '??'),
    locale,
    some({ type: pick('region', 'currency', 'language') }),
  ),
  on('segments', word, locale, some({ granularity: pick('word', 'sentence', 'grapheme') })),
  on('locale', locale, some({ region: pick('CH', 'x'), numeric: pick(true), calendar: pick('buddhist') })),
  on('case', fc.constantFrom('toLocaleUpperCase', 'toLocaleLowerCase'), word, locale),
  on('normalize', word, fc.constantFrom('NFC', 'NFD', 'NFKC', 'NFKD', 'NFX')),
  on('supported', fc.constantFrom('NumberFormat', 'ListFormat', 'Segmenter'), locale),
);

/** Its source is evaluated in the guest, and it is called here. */
const EVALUATE = `cases => {
  const table = {
    date: (method, at, tag, options) => new Date(at)[method](tag, options),
    number: (value, tag, options) => value.toLocaleString(tag, options),
    bigint: (digits, tag, options) => BigInt(digits).toLocaleString(tag, options),
    parts: (type, value, tag, options) => new Intl[type](tag, options).formatToParts(value),
    range: (type, from, to, tag, options) => new Intl[type](tag, { timeZone: 'UTC', ...options }).formatRange(from, to),
    resolved: (type, tag) => new Intl[type](tag).resolvedOptions(),
    compare: (one, other, tag, options) => [one.localeCompare(other, tag, options), Intl.Collator(tag, options).compare(one, other)],
    plural: (value, tag, options) => new Intl.PluralRules(tag, options).select(value),
    relative: (value, unit, tag, options) => new Intl.RelativeTimeFormat(tag, options).formatToParts(value, unit),
    list: (items, tag, options) => new Intl.ListFormat(tag, options).format(items),
    names: (code, tag, options) => new Intl.DisplayNames(tag, options).of(code),
    segments: (text, tag, options) => [...new Intl.Segmenter(tag, options).segment(text)],
    locale: (tag, options) => (l => [String(l), l.maximize().toString(), l.minimize().baseName, l.region, l.calendar, l.numeric])(new Intl.Locale(tag, options)),
    case: (method, text, tag) => text[method](tag),
    normalize: (text, form) => text.normalize(form),
    supported: (type, tag) => Intl[type].supportedLocalesOf([tag]),
  };
  return cases.map(([what, ...args]) => {
    try { return { value: table[what](...args) } } catch (error) { return { error: error.name } }
  });
}`;

/** The JavaScript source of a value that JSON cannot represent. */
export function literal(value: unknown): string {
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (Array.isArray(value)) return `[${value.map(literal).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value).map(([name, item]) => `${name}: ${literal(item)}`)}}`;
}

/** The result in this Node, in the guest's time zone. */
export function here(source: string): unknown {
  const zone = process.env.TZ;
  process.env.TZ = 'UTC';
  try {
    return JSON.parse(JSON.stringify(new Function(`return (${source})()`)() ?? null));
  } finally {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  }
}

/** Node 20 checks options in another order than the standard and Node 22, so with two faults it may throw another class. */
const isSame = (found: unknown, expected: unknown): boolean =>
  isDeepStrictEqual(found, expected) || (process.version.startsWith('v20.') && isError(found) && isError(expected));

const isError = (outcome: unknown): boolean => typeof outcome === 'object' && outcome !== null && 'error' in outcome;

export function intl(guest: Harness): void {
  describe('Intl', () => {
    it('gives the same results as Node for random calls', { timeout: 60_000 }, async () => {
      const seed = Date.now();
      const rounds = guest.options.machinePerRun === true ? 2 : 8;
      for (let round = 0; round < rounds; round++) {
        const cases = fc.sample(CASES, { seed: seed + round, numRuns: 150 }).map(literal);
        const source = `() => (${EVALUATE})([${cases}])`;
        const found = (await guest.value(source, { limits: SLOW })) as unknown[];
        const expected = here(source) as unknown[];
        const wrong = cases.flatMap((asked, at) =>
          isSame(found[at], expected[at]) ? [] : [{ asked, found: found[at], expected: expected[at] }],
        );
        expect({ seed: seed + round, wrong }).toEqual({ seed: seed + round, wrong: [] });
      }
    });

    it.each<[what: string, expression: string, value: unknown]>([
      [
        'the default locale and zone',
        `(o => [o.locale, o.timeZone])(new Intl.DateTimeFormat().resolvedOptions())`,
        ['en-US', 'UTC'],
      ],
      ['a date as text', `String(new Date(0))`, 'Thu Jan 01 1970 00:00:00 GMT+0000 (Coordinated Universal Time)'],
      [
        'an invalid date',
        `[new Date(NaN).toLocaleString('de'), String(new Date(NaN))]`,
        ['Invalid Date', 'Invalid Date'],
      ],
      ['bound format functions', `[1e6, 2].map(new Intl.NumberFormat('de').format)`, ['1.000.000', '2']],
      ['made without new', `Intl.NumberFormat('en', { style: 'percent' }).format(0.25)`, '25%'],
      [
        'lists of numbers',
        `[[1234.5, null, 'x'].toLocaleString('de'), new Float64Array([0.5]).toLocaleString('de')]`,
        ['1.234,5,,x', '0,5'],
      ],
      ['its own tag', `[String(Intl), String(new Intl.Collator())]`, ['[object Intl]', '[object Intl.Collator]']],
      ['values that are supported', `Intl.supportedValuesOf('unit').includes('megabyte')`, true],
      ['canonical tags', `Intl.getCanonicalLocales(['EN-us', 'zh-hans'])`, ['en-US', 'zh-Hans']],
    ])('knows %s', async (_what, expression, value) => {
      expect(await guest.value(`async () => ${expression}`)).toEqual(value);
    });

    it.each<[what: string, expression: string, error: RegExp]>([
      [
        'an unknown time zone',
        `new Date().toLocaleString('en', { timeZone: 'Mars/Base' })`,
        /^RangeError: .*Mars\/Base/,
      ],
      ['an invalid locale', `(1).toLocaleString('not a tag')`, /^RangeError: /],
      ['a currency that is missing', `new Intl.NumberFormat('en', { style: 'currency' })`, /^TypeError: .*[Cc]urrency/],
      ['a constructor called without new', `Intl.PluralRules()`, /^TypeError: .*new/],
      ['options that are null', `(1).toLocaleString('en', null)`, /^TypeError: /],
      ['a method of another object', `Intl.DateTimeFormat.prototype.formatToParts.call({})`, /^TypeError: /],
    ])('refuses %s', async (_what, expression, error) => {
      const { name, message } = await guest.error(`async () => ${expression}`);
      expect(`${name}: ${message}`).toMatch(error);
    });

    it('sorts as Node does with any comparison that uses a locale, also when items are equal', {
      timeout: 60_000,
    }, async () => {
      const source = `() => {
        let seed = 7;
        const random = n => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % n;
        const words = ['apple', 'Apple', 'Äpfel', 'ápple', 'zebra', 'Zoë', '10', '9', 'e\u0301', 'é', 'résumé', 'co-op', 'coop', ''];
        const rows = Array.from({ length: 700 }, (_, at) => ({ at, name: words[random(words.length)] + (random(3) ? '' : random(20)), n: random(5), tags: [words[random(words.length)]] }));
        const { compare } = new Intl.Collator('de', { numeric: true, sensitivity: 'base' });
        const calls = [];
        return [
          (a, b) => a.name.localeCompare(b.name),
          (a, b) => b.name.localeCompare(a.name),
          (a, b) => a.name.localeCompare(b.name, undefined, { sensitivity: 'base' }),
          (a, b) => compare(a.name, b.name),
          (a, b) => a.n - b.n || a.name.localeCompare(b.name),
          (a, b) => a.name.localeCompare(b.name) || b.n - a.n,
          (a, b) => a.name.toLowerCase().localeCompare(b.name.toLowerCase()),
          (a, b) => a.tags[0].localeCompare(b.tags[0]),
          (a, b) => a.name.length - b.name.length || -compare(a.name, b.name),
        ].map(by => rows.toSorted(by).map(row => row.at).join()).concat(
          rows.map(row => row.name).sort(compare).join(),
          [undefined, ...rows.map(row => row.name), undefined].sort((a, b) => a.localeCompare(b)).map(String).join(),
        );
      }`;
      expect(await guest.value(source, { limits: SLOW })).toEqual(here(source));
    });

    it('a sort throws the error of its comparison, and loses no item', async () => {
      const source = `() => {
        const texts = Array.from({ length: 100 }, (_, i) => 't' + (i * 37) % 100);
        let left = 40, message;
        try { texts.sort((a, b) => { if (left-- === 0) throw new Error('mine'); return a.localeCompare(b) }) } catch (e) { message = e.message }
        return [message, new Set(texts).size];
      }`;
      expect(await guest.value(source, { limits: SLOW })).toEqual(['mine', 100]);
    });

    it('sorts many texts as Node does', { timeout: 60_000 }, async () => {
      const source = `() => {
        const texts = Array.from({ length: 400 }, (_, i) => ['ä', 'z', 'Z', 'é', 'e', '10', '9', 'ß', '-'][(i * 7) % 9] + ((i * 7919) % 401));
        const by = (...options) => [...texts].sort((a, b) => a.localeCompare(b, ...options)).join();
        const rows = texts.map((name, at) => ({ at, name }));
        const others = texts.toSorted((a, b) => a.toLowerCase().localeCompare(b.toLowerCase(), 'tr'));
        rows.sort((a, b) => b.name.localeCompare(a.name, 'da'));
        return [rows.map(row => row.name), others, by(), by('sv'), by('de', { numeric: true }), by('en', { sensitivity: 'base', caseFirst: 'upper' })];
      }`;
      expect(await guest.value(source, { limits: SLOW })).toEqual(here(source));
    });
  });
}
