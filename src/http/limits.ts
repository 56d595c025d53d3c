// How much one key, and all keys together, may ask of this gateway: requests a minute (shared by replicas through
// Redis, if there is one) and requests at once (each replica's own). Knows no MCP; refuses with `rate_limited`.
import type { RequestHandler } from 'express';
import { GatewayError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { createCounter } from './counter.ts';
import { connectRedis } from './redis.ts';

export type LimitOptions = {
  /** Requests a minute; 0: no limit. */
  readonly perKey: number;
  readonly global: number;
  /** Requests of one key under way on this replica; 0: no limit. */
  readonly parallelPerKey: number;
  /** Undefined: each replica counts for itself. */
  readonly redisUrl: string | undefined;
  readonly log: Logger;
  readonly onLimited?: (limit: 'key' | 'global' | 'parallel' | 'unavailable') => void;
};

/** Comes after the check of the key. `close` ends the connection to Redis. */
export type Limits = { readonly check: RequestHandler; close(): Promise<void> };

const LOG_EVERY_MS = 10_000;
/** How soon a caller with too many requests at once may try again. */
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
    log.error({ err: caught }, 'the limiter does not answer: requests pass uncounted');
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
          `This key has ${open} requests under way, as many as it may. Wait for some to end.`,
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
