// Attacks by calls of a run: bodies, queries, headers, and waiting calls.
import { newKey } from '../../support/gateway.ts';
import { post, times, toolCall } from '../support/send.ts';
import { type Attack, execute, requests } from './attack.ts';

const DEEP = `const s = '['.repeat(700000) + ']'.repeat(700000)`;
const OBJECTS = `const s = '[' + '{},'.repeat(450000) + '{}]'`;
const RAW = `const s = '{' + Array.from({ length: 110000 }, (_, i) => '"k' + i + '":1').join() + '}'`;
const METADATA = `const m = Object.fromEntries(Array.from({ length: 75000 }, (_, i) => ['k' + i, 'v']))`;
const MANY = `const q = Object.fromEntries(Array.from({ length: 100000 }, (_, i) => ['k' + i, '1']))`;
const toSandboxes = (fields: string) => `{ method: 'POST', path: '/sandboxes', ${fields} }`;

export const CALLS: readonly Attack[] = [
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
    name: '32 raw bodies of 900 kB',
    send: target => {
      const code = requests(
        8,
        `const s = JSON.stringify({ a: 'x'.repeat(900_000) })`,
        toSandboxes(`rawBody: s, contentType: 'application/json'`),
      );
      return Promise.all(times(4, () => post(target, toolCall('execute_write', code))));
    },
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
    name: '100 bodies with a key of 900 kB',
    send: execute(
      'execute_write',
      requests(
        100,
        `const m = { ['k'.repeat(900_000)]: 'v' }`,
        toSandboxes(`body: { templateID: 'base', metadata: m }`),
      ),
    ),
  },
  {
    name: '40 keys with runs that fill their memory and wait for a slow call',
    answers: { '/v2/sandboxes': { body: '[]', afterMs: 3_000 } },
    send: target => {
      const code = `async () => { const held = new Uint8Array(50e6).fill(7); await api.request({ path: '/v2/sandboxes' }); return held[7] }`;
      return Promise.all(times(40, () => post(target, toolCall('execute_read', code))));
    },
  },
  {
    name: '100 runs of one key with 8 slow calls each, beside another key that reads',
    answers: { '/v2/sandboxes': { body: '[]', afterMs: 3_000 } },
    bystander: `async () => (await api.request({ path: '/sandboxes/inone' })).status`,
    send: target => {
      const key = newKey();
      const code = requests(8, '', `{ path: '/v2/sandboxes' }`);
      return Promise.all(times(100, () => post(target, toolCall('execute_read', code), { key })));
    },
  },
];
