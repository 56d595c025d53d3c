// The counter in a real Redis, with keys left in any state.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createCounter } from '../../src/http/counter.ts';
import { freePort } from '../survive/support/replica.ts';

const missing = spawnSync('redis-server', ['--version']).status !== 0;
if (missing) console.warn('SKIPPED: counters in Redis: redis-server is not installed (apt-get install redis-server)');

describe.skipIf(missing)('a counter in Redis', () => {
  let server: ChildProcess;
  let redis: Redis;
  beforeAll(async () => {
    const port = await freePort();
    server = spawn('redis-server', ['--port', String(port), '--save', '', '--bind', '127.0.0.1'], { stdio: 'ignore' });
    redis = new Redis(port, '127.0.0.1', { retryStrategy: () => 50 });
    redis.on('error', () => {});
    await redis.ping();
  });
  afterAll(async () => {
    redis.disconnect();
    server.kill();
    await once(server, 'exit');
  });
  beforeEach(() => redis.flushall());

  const KEY = 'codemode:key:someone';
  const consume = () =>
    createCounter('key', 2, redis).waitMs('someone', caught => {
      throw caught;
    });

  it('refuses requests over the limit until the minute has passed', async () => {
    expect([await consume(), await consume()]).toEqual([undefined, undefined]);
    expect(await consume()).toBeLessThanOrEqual(60_000);
    expect(await redis.pttl(KEY)).toBeGreaterThan(0);
  });

  it.each<[left: string, put: (redis: Redis) => Promise<unknown>]>([
    ['without an expiry', store => store.set(KEY, '100')],
    ['with an expiry in a day', store => store.set(KEY, '100', 'EX', 86_400)],
  ])('corrects the expiry of a key %s', async (_left, put) => {
    await put(redis);
    expect(await consume()).toBeLessThanOrEqual(60_000);
    const ttlMs = await redis.pttl(KEY);
    expect(ttlMs).toBeGreaterThan(0);
    expect(ttlMs).toBeLessThanOrEqual(60_000);
  });
});
