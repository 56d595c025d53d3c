// Counts requests per key and minute, in this process or, with Redis, for all replicas.
import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';

export type Counter = {
  /** Milliseconds to wait, or undefined if the request may pass. It also passes if Redis fails; then `onDown` is called. */
  waitMs(key: string, onDown: (caught: unknown) => void): Promise<number | undefined>;
};

const WINDOW_SECONDS = 60;

/**
 * Counts, and corrects the expiry of a key that has none or a later one than its window. Otherwise a restored dump or a
 * changed setting could refuse a caller forever.
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

/** `perMinute` 0 means no limit. */
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
        // Redis uses the wall clock, which may jump, so the wait is limited to one window.
        if (caught instanceof RateLimiterRes) return Math.min(Math.max(1, caught.msBeforeNext), WINDOW_SECONDS * 1000);
        onDown(caught);
        return undefined;
      }
    },
  };
}
