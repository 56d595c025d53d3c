// Counts requests in a minute, in this process or for all replicas in Redis. Knows nothing of who is counted, or why.
import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';

export type Counter = {
  /** Milliseconds to wait, or undefined when the request may pass. `onDown`: Redis did not answer, so it passes. */
  waitMs(key: string, onDown: (caught: unknown) => void): Promise<number | undefined>;
};

const WINDOW_SECONDS = 60;

/** `perMinute` 0: everything passes. */
export function createCounter(name: string, perMinute: number, redis: Redis | undefined): Counter {
  if (perMinute === 0) return { waitMs: async () => undefined };
  const shape = { points: perMinute, duration: WINDOW_SECONDS, keyPrefix: `codemode:${name}` };
  const limiter =
    redis === undefined
      ? new RateLimiterMemory(shape)
      : new RateLimiterRedis({ ...shape, storeClient: redis, rejectIfRedisNotReady: true });
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
