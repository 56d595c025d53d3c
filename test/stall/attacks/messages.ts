// Attacks by HTTP messages: compressed bodies, batches, clients that do not read.
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { newKey } from '../../support/gateway.ts';
import { neverRead, post, times, toolCall } from '../support/send.ts';
import type { Attack } from './attack.ts';

const EMPTY_OBJECTS = `[${'{},'.repeat(333_000)}{}]`;
const keys = (count: number) => Object.fromEntries(times(count, i => [`k${i}`, 1]));

export const MESSAGES: readonly Attack[] = [
  {
    name: '30 batches of eight runs that compute',
    send: target => {
      const call: unknown = JSON.parse(toolCall('search', 'async () => { for (let i = 0; i < 3e5; i++); return 1 }'));
      const batch = JSON.stringify(times(8, i => ({ ...(call as object), id: i })));
      return Promise.all(times(30, () => post(target, batch)));
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
    name: '30 bodies of 1 kB that unpack to 1 MB',
    send: target => {
      const body = brotliCompressSync(toolCall('search', 'async () => 1', { padding: 'x'.repeat(990_000) }));
      return Promise.all(times(30, () => post(target, body, { encoding: 'br' })));
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
    name: '90 clients that never read',
    send: target => {
      const key = newKey();
      const body = toolCall('execute_read', `async () => 'x'.repeat(90000)`);
      return Promise.all(times(90, () => neverRead(target, body, key, 4_000)));
    },
  },
];
