// What one caller can send that used to hold up everybody, each a function of the gateway it is sent to. Keys are
// invented: nothing of it needs an account.
import { gzipSync } from 'node:zlib';
import { newKey } from '../support/gateway.ts';
import { neverRead, post, type Target, times, toolCall } from './support/send.ts';

export type Attack = {
  readonly name: string;
  /** Paths of the stand-in API, answered instead of 404. */
  readonly answers?: Readonly<Record<string, string>>;
  readonly send: (target: Target) => Promise<unknown>;
};

/** `count` requests of a run at once, each made by `request` (JavaScript text). */
const requests = (count: number, before: string, request: string) =>
  `async () => { ${before}; return (await Promise.all(Array.from({ length: ${count} }, () => api.request(${request}).catch(e => e.code)))).slice(0, 3) }`;

const execute = (tool: 'execute_read' | 'execute_write', code: string) => (target: Target) =>
  post(target, toolCall(tool, code));

const EMPTY_OBJECTS = `[${'{},'.repeat(333_000)}{}]`;
const keys = (count: number) => Object.fromEntries(times(count, i => [`k${i}`, 1]));
const DEEP = `const s = '['.repeat(700000) + ']'.repeat(700000)`;
const OBJECTS = `const s = '[' + '{},'.repeat(450000) + '{}]'`;
const RAW = `const s = '{' + Array.from({ length: 110000 }, (_, i) => '"k' + i + '":1').join() + '}'`;
const METADATA = `const m = Object.fromEntries(Array.from({ length: 75000 }, (_, i) => ['k' + i, 'v']))`;
const MANY = `const q = Object.fromEntries(Array.from({ length: 100000 }, (_, i) => ['k' + i, '1']))`;
const REGEX = `async () => /${'(?<a>)|(?:'.repeat(738)}${')'.repeat(738)}/`;
const BAD_TEXT = `${'a?(b):(c='.repeat(40)}1${')=>1'.repeat(40)} as any`;
const toSandboxes = (fields: string) => `{ method: 'POST', path: '/sandboxes', ${fields} }`;

export const ATTACKS: readonly Attack[] = [
  {
    name: '200 string bodies of 700,000 levels, in execute_read',
    send: execute('execute_read', requests(200, DEEP, toSandboxes('body: s'))),
  },
  {
    name: '200 string bodies of 700,000 levels, in execute_write',
    send: execute('execute_write', requests(200, DEEP, toSandboxes('body: s'))),
  },
  {
    name: '100 string bodies of 450,000 empty objects',
    send: execute('execute_write', requests(100, OBJECTS, toSandboxes('body: s'))),
  },
  {
    name: '100 raw bodies of 110,000 keys',
    send: execute('execute_write', requests(100, RAW, toSandboxes(`rawBody: s, contentType: 'application/json'`))),
  },
  {
    name: '16 bodies of 75,000 metadata keys',
    send: execute('execute_write', requests(16, METADATA, toSandboxes(`body: { templateID: 'base', metadata: m }`))),
  },
  {
    name: '16 queries of 100,000 entries',
    send: execute('execute_read', requests(16, MANY, `{ path: '/v2/sandboxes', query: q }`)),
  },
  {
    name: '16 times 100,000 headers',
    send: execute('execute_read', requests(16, MANY, `{ path: '/v2/sandboxes', headers: q }`)),
  },
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
    name: '30 packed bodies of 1 MB of {}',
    send: target => {
      const meta = { padding: JSON.parse(EMPTY_OBJECTS) };
      const body = gzipSync(toolCall('search', 'async () => new Promise(done => setTimeout(done, 2000))', meta));
      return Promise.all(times(30, () => post(target, body, { encoding: 'gzip' })));
    },
  },
  {
    name: '10 bodies with 110,000 keys in _meta',
    send: target => {
      const body = gzipSync(toolCall('search', 'async () => 1', keys(110_000)));
      const plain = toolCall('search', 'async () => 1', keys(70_000));
      return Promise.all(times(5, () => Promise.all([post(target, body, { encoding: 'gzip' }), post(target, plain)])));
    },
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
    name: '90 clients that never read',
    send: target => {
      const key = newKey();
      const body = toolCall('execute_read', `async () => 'x'.repeat(90000)`);
      return Promise.all(times(90, () => neverRead(target, body, key, 4_000)));
    },
  },
  {
    name: 'errors whose place is hard to find, 16 times',
    send: target => {
      const code = `async () => { const f = null; const r = '${'(?<a>)|(?:'.repeat(300)}'; f.g.h(); }`;
      return Promise.all(times(16, () => post(target, toolCall('search', code))));
    },
  },
  {
    name: '4 answers of the API of 7.8 MB of {}',
    answers: { '/v2/sandboxes': `[${'{},'.repeat(2_600_000)}{}]` },
    send: execute('execute_read', requests(4, '', `{ path: '/v2/sandboxes' }`)),
  },
];
