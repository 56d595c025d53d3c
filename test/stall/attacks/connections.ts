// Attacks by connections: pipelined requests, bodies in many chunks, requests that never end.
import { rawHead, rawRequest, times, toolCall, writeRaw } from '../support/send.ts';
import type { Attack } from './attack.ts';

const PROBE = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';
const LIST = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';

export const CONNECTIONS: readonly Attack[] = [
  {
    name: '4 connections with 20,000 probes sent at once',
    send: target => Promise.all(times(4, () => writeRaw(target, PROBE.repeat(20_000), 3_000))),
  },
  {
    name: '20 connections with 3,000 lists of tools sent at once, never read',
    send: target =>
      Promise.all(times(20, () => writeRaw(target, rawRequest(LIST).repeat(3_000), 3_000, { read: false }))),
  },
  {
    name: '40 connections with 30 runs sent at once behind a slow one, which leave',
    send: target => {
      const slow = rawRequest(toolCall('search', 'async () => new Promise(done => setTimeout(done, 5000))'));
      return Promise.all(times(40, () => writeRaw(target, slow.repeat(30), 1_000)));
    },
  },
  {
    name: '8 bodies of 150,000 chunks of a byte',
    send: target => {
      const body = `${rawHead('Transfer-Encoding: chunked')}${'1\r\n \r\n'.repeat(150_000)}0\r\n\r\n`;
      return Promise.all(times(8, () => writeRaw(target, body, 5_000)));
    },
  },
  {
    name: '200 requests without an end',
    send: target => Promise.all(times(200, () => writeRaw(target, `${rawHead('Content-Length: 900')}{`, 2_000))),
  },
  {
    name: '300 connections with 15 kB of short headers each',
    send: target => {
      const headers = times(1_900, i => `a${i}: \r\n`).join('');
      return Promise.all(times(300, () => writeRaw(target, `GET / HTTP/1.1\r\n${headers}\r\n`, 2_000)));
    },
  },
  {
    name: '300 connections with 100 requests of 18 bytes each',
    send: target => Promise.all(times(300, () => writeRaw(target, 'GET / HTTP/1.1\r\n\r\n'.repeat(100), 2_000))),
  },
];
