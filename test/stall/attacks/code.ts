// Attacks by the agent's code: code that is slow to accept, output, results, blocks.
import { newKey } from '../../support/gateway.ts';
import { post, times, toolCall } from '../support/send.ts';
import { type Attack, eachOf } from './attack.ts';

const REGEX = `async () => /${'(?<a>)|(?:'.repeat(738)}${')'.repeat(738)}/`;
const BAD_TEXT = `${'a?(b):(c='.repeat(40)}1${')=>1'.repeat(40)} as any`;

export const CODE: readonly Attack[] = [
  {
    name: '10 regular expressions of 8 kB that take long to check',
    send: target => Promise.all(times(10, () => post(target, toolCall('search', REGEX)))),
  },
  {
    name: '64 texts of one key that take the parser too long',
    send: target => {
      const key = newKey();
      return Promise.all(times(64, () => post(target, toolCall('search', BAD_TEXT), { key, ms: 4_000 })));
    },
  },
  {
    name: '64 such texts of each of five keys',
    send: target => {
      const sent = (key: string) => times(64, () => post(target, toolCall('search', BAD_TEXT), { key, ms: 4_000 }));
      return Promise.all(times(5, newKey).flatMap(sent));
    },
  },
  {
    name: '16 texts of 20,000 nested templates',
    send: target => {
      const code = `async () => ${'`${'.repeat(20_000)}1${'}`'.repeat(20_000)}`;
      return Promise.all(times(16, () => post(target, toolCall('search', code))));
    },
  },
  {
    name: '16 runs that print 300,000 lines each',
    send: eachOf(16, `for (let i = 0; i < 300_000; i++) console.log('line', i, {})`),
  },
  {
    name: '6 runs that make formats of 20,000 locales each',
    send: eachOf(
      6,
      `for (let i = 0; i < 20_000; i++) try { new Intl.NumberFormat('de-x-' + i.toString(36), { minimumFractionDigits: i % 9 }).format(i) } catch {}`,
    ),
  },
  {
    name: '6 runs that normalize and compare long texts',
    send: eachOf(
      6,
      `const s = '\u1e9b\u0323e\u0301'.repeat(200_000); for (let i = 0; i < 40; i++) { s.normalize('NFKD'); s.localeCompare(s + i, 'de'); s.toLocaleUpperCase('tr') }`,
    ),
  },
  {
    name: '16 runs that display 83,000 blocks each',
    send: target => {
      const code = `async () => { for (let i = 0; i < 83000; i++) display('x') }`;
      return Promise.all(times(16, () => post(target, toolCall('execute_read', code))));
    },
  },
  {
    name: '16 results of as many values as a result may hold',
    send: target => {
      const code = `async () => Array.from({ length: 130000 }, () => ({}))`;
      return Promise.all(times(16, () => post(target, toolCall('execute_read', code))));
    },
  },
  {
    name: '16 runs that display 4 MB each',
    send: target => {
      const code = `async () => { display(new Uint8Array(2_900_000)) }`;
      return Promise.all(times(16, () => post(target, toolCall('execute_read', code))));
    },
  },
  {
    name: 'errors whose place is hard to find, 16 times',
    send: target => {
      const code = `async () => { const f = null; const r = '${'(?<a>)|(?:'.repeat(300)}'; f.g.h(); }`;
      return Promise.all(times(16, () => post(target, toolCall('search', code))));
    },
  },
];
