// Counts requests in a minute, in this process or for all replicas in Redis. Knows nothing of who is counted, or why.
import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';

export type Counter = {
  /** Milliseconds to wait, or undefined when the request may pass. `onDown`: Redis did not answer, so it passes. */
  waitMs(key: string, onDown: (caught: unknown) => void): Promise<number | undefined>;
};

const WINDOW_SECONDS = 60;

/**
 * Counts, and gives a key without an end, or with one past its window, the end it should have: a restored dump or a
 * changed setting must not refuse a caller for good.
 */
const COUNT_SCRIPT = `
redis.call('set', KEYS[1], 0, 'EX', ARGV[2], 'NX')
local consumed = redis.call('incrby', KEYS[1], ARGV[1])
local ttl = redis.call('pttl', KEYS[1])
local window = 1000 * ARGV[2]
if ttl < 0 or ttl > window then
  redis.call('pexpire', KEYS[1], window)
  ttl = window
end
return {consumed, ttl}`;

/** `perMinute` 0: everything passes. */
export function createCounter(name: string, perMinute: number, redis: Redis | undefined): Counter {
  if (perMinute === 0) return { waitMs: async () => undefined };
  const shape = { points: perMinute, duration: WINDOW_SECONDS, keyPrefix: `codemode:${name}` };
  const limiter =
    redis === undefined
      ? new RateLimiterMemory(shape)
      : new RateLimiterRedis({
          ...shape,
          storeClient: redis,
          rejectIfRedisNotReady: true,
          customIncrTtlLuaScript: COUNT_SCRIPT,
        });
  return {
    async waitMs(key, onDown) {
      try {
        await limiter.consume(key);
        return undefined;
      } catch (caught) {
        // Redis goes by the wall clock, which may jump: no caller waits longer than a window.
        if (caught instanceof RateLimiterRes) return Math.min(Math.max(1, caught.msBeforeNext), WINDOW_SECONDS * 1000);
        onDown(caught);
        return undefined;
      }
    },
  };
}
