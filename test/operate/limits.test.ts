// Rate limits from the caller's side: 429 as JSON with Retry-After, per key, for all keys together, and for requests at
// the same time. Without Redis, requests pass.
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { E2B } from '../../src/e2b/api.ts';
import { createApp } from '../../src/http/app.ts';
import { createKeyAuthenticator } from '../../src/http/auth/bearer.ts';
import { Drain } from '../../src/http/drain.ts';
import { createLimits, type LimitOptions } from '../../src/http/limits.ts';
import { memoryLog, newKey } from '../support/gateway.ts';

const LOOPBACK = ['127.0.0.1'];

/** Starts the HTTP app with an endpoint that responds at once, or after `?ms=`. */
async function serve(limited: Partial<LimitOptions>) {
  const memory = memoryLog();
  const { log } = memory;
  const limits = await createLimits({ perKey: 0, global: 0, parallelPerKey: 0, redisUrl: undefined, log, ...limited });
  const app = createApp({
    auth: createKeyAuthenticator(E2B),
    mcp: (request, response) => void setTimeout(() => response.json({}), Number(request.query.ms ?? 0)),
    debug: undefined,
    metrics: undefined,
    limits: limits.check,
    drain: new Drain(),
    allowedHosts: LOOPBACK,
    allowedOrigins: LOOPBACK,
    maxBodyBytes: 1000,
    trustProxy: 0,
    log,
  });
  const server = createServer(app as RequestListener);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await limits.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  const send = (key: string, ms = 0) =>
    fetch(`${url}?ms=${ms}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
      body: '{"jsonrpc":"2.0"}',
    });
  return { send, ...memory };
}

const statuses = async (answers: Promise<Response>[]) =>
  (await Promise.all(answers)).map(({ status }) => status).sort();

it('one key over its rate gets 429 with Retry-After; another key does not', async () => {
  const { send } = await serve({ perKey: 3 });
  const key = newKey();
  expect(await statuses([send(key), send(key), send(key)])).toEqual([200, 200, 200]);
  const refused = await send(key);
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  const { error } = (await refused.json()) as { error: { message: string; data: { code: string } } };
  expect(error.data.code).toBe('rate_limited');
  expect(error.message).toMatch(/Wait \d+ s/);
  expect((await send(newKey())).status).toBe(200);
});

it('requests of all keys together over the global rate get 429', async () => {
  const { send } = await serve({ global: 3 });
  expect(await statuses([1, 2, 3, 4, 5].map(() => send(newKey())))).toEqual([200, 200, 200, 429, 429]);
});

it('too many requests of one key at the same time get 429, until the others end', async () => {
  const { send } = await serve({ parallelPerKey: 2 });
  const key = newKey();
  expect(await statuses([1, 2, 3, 4].map(() => send(key, 300)))).toEqual([200, 200, 429, 429]);
  expect(await statuses([send(key), send(newKey())])).toEqual([200, 200]);
});

it('requests pass when Redis cannot be reached, and the log says so', async () => {
  const { send, entries, lines } = await serve({ perKey: 1, redisUrl: 'redis://:secret@127.0.0.1:1' });
  const key = newKey();
  expect(await statuses([send(key), send(key), send(key)])).toEqual([200, 200, 200]);
  expect(entries().filter(({ msg }) => msg.startsWith('Redis does not respond: requests'))).toHaveLength(1);
  expect(lines.join('')).not.toContain('secret');
});

it('requests pass when Redis accepts connections but does not respond', async () => {
  const mute = createSocketServer(() => {});
  await new Promise<void>(resolve => mute.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void mute.close());
  const { send } = await serve({ perKey: 1, redisUrl: `redis://127.0.0.1:${(mute.address() as AddressInfo).port}` });
  const key = newKey();
  expect(await statuses([send(key), send(key), send(key)])).toEqual([200, 200, 200]);
});
