// Rate limits for each key and for all keys together: requests per minute (shared by replicas if there is Redis) and
// concurrent requests (per replica). Refuses with `rate_limited`.
import type { RequestHandler } from 'express';
import { GatewayError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { createCounter } from './counter.ts';
import { connectRedis } from './redis.ts';

export type LimitOptions = {
  /** Requests per minute; 0: no limit. */
  readonly perKey: number;
  readonly global: number;
  /** Concurrent requests of one key on this replica; 0: no limit. */
  readonly parallelPerKey: number;
  /** Undefined: each replica counts its own requests. */
  readonly redisUrl: string | undefined;
  readonly log: Logger;
  readonly onLimited?: (limit: 'key' | 'global' | 'parallel' | 'unavailable') => void;
};

/** `check` runs after the caller is authenticated. `close` ends the connection to Redis. */
export type Limits = { readonly check: RequestHandler; close(): Promise<void> };

const LOG_EVERY_MS = 10_000;
/** `Retry-After` for a caller with too many concurrent requests. */
const PARALLEL_RETRY_MS = 1_000;

export async function createLimits(options: LimitOptions): Promise<Limits> {
  const { log, onLimited } = options;
  const redis = options.redisUrl === undefined ? undefined : await connectRedis(options.redisUrl, log);
  const rates = [
    { limit: 'key', counter: createCounter('key', options.perKey, redis) },
    { limit: 'global', counter: createCounter('global', options.global, redis) },
  ] as const;
  const parallel = new Map<string, number>();
  let loggedAt = Number.NEGATIVE_INFINITY;

  const noteDown = (caught: unknown) => {
    onLimited?.('unavailable');
    if (performance.now() - loggedAt < LOG_EVERY_MS) return;
    loggedAt = performance.now();
    log.error({ err: caught }, 'Redis does not respond: requests are not rate limited');
  };

  return {
    async check(request, response, next) {
      const key = (request as { auth?: { clientId?: string } }).auth?.clientId ?? '';
      const open = parallel.get(key) ?? 0;
      parallel.set(key, open + 1);
      response.once('close', () => {
        const left = (parallel.get(key) ?? 1) - 1;
        if (left === 0) parallel.delete(key);
        else parallel.set(key, left);
      });
      if (options.parallelPerKey > 0 && open >= options.parallelPerKey) {
        onLimited?.('parallel');
        throw new GatewayError(
          'rate_limited',
          `This key has ${open} requests running, which is the maximum. Wait until one of them has ended.`,
          { retryAfterMs: PARALLEL_RETRY_MS },
        );
      }
      for (const { limit, counter } of rates) {
        const waitMs = await counter.waitMs(limit === 'key' ? key : 'all', noteDown);
        if (waitMs === undefined) continue;
        onLimited?.(limit);
        const whose = limit === 'key' ? 'This key has' : 'All callers together have';
        throw new GatewayError(
          'rate_limited',
          `${whose} sent too many requests in this minute. Wait ${Math.ceil(waitMs / 1000)} s, then try again; code that makes many calls in one run counts once.`,
          { retryAfterMs: waitMs },
        );
      }
      next();
    },
    close: async () => redis?.disconnect(),
  };
}
