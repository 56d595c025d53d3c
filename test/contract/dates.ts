// Dates from text: every engine parses them as this Node does.
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Harness } from './harness.ts';
import { here, literal } from './intl.ts';

/** Dates as people, logs, mails and spreadsheets write them. */
const WRITTEN = [
  '2024-01-01T00:00:00,5Z',
  '2024-01-01T00:00:00.123456789Z',
  '2024-01-01T24:00:00Z',
  '2024-01-01T10:00:00+0530',
  '2024-01-01T10:00:00+05',
  '2024-01-01t10:00:00z',
  '2024-01-01 10:00:00',
  '2024-01-01 10:00:00 +01:00',
  '2024-01-01 10:00:00 UTC+02:00',
  '2024-01-01 10:00:00 CET',
  '2024-00-10',
  '2024-02-30',
  '2024-001',
  '2024-1-5',
  '+275760-09-13T00:00:00.001Z',
  '-000000-01-01T00:00:00Z',
  '01/02/2024',
  '1/32/2024',
  '25.12.2024 10:00',
  'Jan 5, 2024 at 10:00',
  'Jan 5 2024 10:00PM',
  '5th Jan 2024',
  'Dec 25',
  'December',
  'Sept 5 2024',
  'Januaryfoo 1 2024',
  'J 1 2024',
  'Wed, 25-Dec-24 10:00:00 GMT',
  'Tue Mar 05 2024 14:07:09 GMT+0100 (Central European Standard Time)',
  '01/May/2024:10:00:00 +0000',
  'Jan 1 2024 23:59:60',
  'Jan 1 2024 24:00',
  'Jan 1 2024 GMT-0130',
  '"2024-01-01"',
  '\t2024-01-01\n',
  '\u22122024-01-01',
  '2024-01-01\u0000garbage',
  '1703498400',
  'tomorrow',
  '',
];
const PIECES = [
  '-',
  '/',
  ' ',
  ':',
  '.',
  ',',
  'T',
  'Z',
  '0',
  '12',
  '+',
  '(',
  ')',
  'am',
  'PM',
  'Mar',
  'gmt',
  'PST',
  '😀',
  'x',
];

/** Random dates in one of these forms, some with a mistake. */
const text = fc
  .tuple(
    fc.constantFrom(...WRITTEN),
    fc.array(fc.tuple(fc.nat(60), fc.constantFrom(0, 1, 2), fc.constantFrom('', ...PIECES)), { maxLength: 3 }),
  )
  .map(([written, changes]) =>
    changes.reduce((all, [at, gone, piece]) => all.slice(0, at) + piece + all.slice(at + gone), written),
  );

const READ = 'texts => texts.map(text => [Date.parse(text), new Date(text).getTime()])';

export function dates(guest: Harness): void {
  describe('dates in texts', () => {
    it('are parsed as in Node', { timeout: 60_000 }, async () => {
      const seed = Date.now();
      const texts = [
        ...WRITTEN,
        ...fc.sample(text, { seed, numRuns: guest.options.machinePerRun === true ? 200 : 600 }),
      ];
      const source = `() => (${READ})(${literal(texts)})`;
      const found = (await guest.value(source)) as unknown[];
      const expected = here(source) as unknown[];
      const wrong = texts.flatMap((asked, at) =>
        isDeepStrictEqual(found[at], expected[at]) ? [] : [{ asked, found: found[at], expected: expected[at] }],
      );
      expect({ seed, wrong }).toEqual({ seed, wrong: [] });
    });

    it.each<[what: string, expression: string]>([
      [
        'of an object',
        '[new Date({ toString: () => "2024-05-06" }), new Date(new String("2024-05-06")), new Date([2024, 5])]',
      ],
      ['of another date', '[new Date(new Date(5)), new Date(new Date(NaN))]'],
      [
        'of numbers',
        '[new Date(5), new Date(2024, 0), new Date(2024, 0, 2, 3, 4, 5, 6), new Date(true), new Date(null)]',
      ],
      ['of nothing', '[new Date(undefined), new Date(9e15), typeof new Date().getTime(), typeof Date()]'],
      ['itself', '[Date.name, Date.length, new Date(0).constructor === Date, Object.keys(Date), Date.UTC(2024, 1)]'],
      [
        'of a class of its own',
        '(() => { class Day extends Date { day() { return this.getDay() } } const d = new Day("2024-05-06 10:00"); return [d.day(), d instanceof Day, d instanceof Date, d] })()',
      ],
      [
        'in a copy',
        '[structuredClone({ at: new Date("May 6, 2024") }).at instanceof Date, Date.parse(String(new Date(1e12)))]',
      ],
    ])('a date %s is as in Node', async (_what, expression) => {
      const source = `() => ${expression}`;
      expect(await guest.value(source)).toEqual(here(source));
    });

    it('in a long text without a date are searched for in limited time', async () => {
      expect(await guest.value('() => [Date.parse("(".repeat(5_000)), Date.parse("1 ".repeat(5_000))]')).toEqual([
        null,
        null,
      ]);
    });
  });
}
