// Hostile and unlucky clients: silent connections, headers and bodies sent one byte at a time, half-closed sockets, callers
// that disconnect during a run. Other callers are served meanwhile, and no request stays open.
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type LocalCloud, startLocalCloud } from '../../local/server.ts';
import { newKey } from '../support/gateway.ts';
import { callTool } from './support/load.ts';
import { type Replica, startReplica } from './support/replica.ts';

let cloud: LocalCloud;
let replica: Replica;
beforeAll(async () => {
  cloud = await startLocalCloud({ port: 0 });
  replica = await startReplica({ env: { E2B_API_URL: cloud.url, E2B_SANDBOX_URL: cloud.url } });
});
afterAll(async () => {
  await replica.end('SIGKILL');
  await cloud.close();
});

const HEAD = () =>
  `POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:${replica.port}\r\nAuthorization: Bearer ${newKey()}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n`;

/** A socket that sends `text`, its last `drops` characters one every 500 ms, until the server closes it. */
function drip(text: string, drops = 0): Socket & { ended?: boolean } {
  const socket: Socket & { ended?: boolean } = connect({ port: replica.port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  socket.once('close', () => (socket.ended = true));
  socket.once('end', () => socket.destroy());
  socket.resume();
  socket.write(text.slice(0, text.length - drops));
  let at = text.length - drops;
  const timer = setInterval(() => {
    if (at < text.length) socket.write(text[at++] ?? '');
  }, 500);
  socket.once('close', () => clearInterval(timer));
  return socket;
}

const openRequests = async () => {
  const { status } = (await (await fetch(`${replica.url}/debug/endpoints`)).json()) as {
    status: { openRequests: number; engineStats: { running: number; waiting: number; queued: number } };
  };
  const { running, waiting, queued } = status.engineStats;
  return status.openRequests + running + waiting + queued;
};

it('slow and silent clients are disconnected after a time, while others are served', async () => {
  const long = `${HEAD()}X-Padding: ${'x'.repeat(500)}`;
  const loris = Array.from({ length: 100 }, () => drip(long, 400));
  const bodies = Array.from({ length: 50 }, () => drip(`${HEAD()}Content-Length: 5000\r\n\r\n${'['.repeat(400)}`, 390));
  const silent = Array.from({ length: 100 }, () => drip(''));
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => callTool(replica.url, 'execute_read', 'async () => 1')),
  );
  expect(answers.filter(({ ok }) => !ok)).toEqual([]);
  for (const sockets of [loris, bodies, silent])
    await expect.poll(() => sockets.filter(({ ended }) => !ended).length, { timeout: 60_000, interval: 500 }).toBe(0);
  expect(await openRequests()).toBe(0);
});

it('a half-closed connection gets its response', async () => {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
  const socket = connect({ port: replica.port, host: '127.0.0.1', allowHalfOpen: true });
  let answer = '';
  socket.on('data', chunk => (answer += chunk));
  socket.end(`${HEAD()}Content-Length: ${body.length}\r\n\r\n${body}`);
  await expect.poll(() => answer, { timeout: 5_000 }).toContain('execute_write');
  socket.destroy();
});

it('a run ends when its caller disconnects', async () => {
  const code = 'async () => { await new Promise(done => setTimeout(done, 30_000)) }';
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'execute_read', arguments: { code } },
  });
  const sockets = Array.from({ length: 20 }, () => drip(`${HEAD()}Content-Length: ${body.length}\r\n\r\n${body}`));
  await expect.poll(openRequests, { timeout: 10_000 }).toBeGreaterThanOrEqual(20);
  for (const socket of sockets) socket.resetAndDestroy();
  await expect.poll(openRequests, { timeout: 10_000 }).toBe(0);
  await sleep(0);
  expect((await callTool(replica.url, 'execute_read', 'async () => 1')).ok).toBe(true);
});
