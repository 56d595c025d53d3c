// How much one key, and all keys together, may ask of this gateway: requests a minute (shared by replicas through
// Redis, if there is one) and requests at once (each replica's own). Knows no MCP; refuses with `rate_limited`.
import type { RequestHandler } from 'express';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { GatewayError } from '../errors.ts';
import type { Logger } from '../log.ts';

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

/** Stands behind the check of the key. `close` ends the connection to Redis. */
export type Limits = { readonly check: RequestHandler; close(): Promise<void> };

const WINDOW_SECONDS = 60;
/** A limiter that does not answer by then is down: the request passes. */
const REDIS_TIMEOUT_MS = 250;
const LOG_EVERY_MS = 10_000;
/** How soon a caller with too many requests at once may try again. */
const PARALLEL_RETRY_MS = 1_000;

type Counter = { consume(key: string): Promise<unknown> };

export async function createLimits(options: LimitOptions): Promise<Limits> {
  const { log, onLimited } = options;
  const store = options.redisUrl === undefined ? undefined : await connectRedis(options.redisUrl, log);
  const counter = (name: string, points: number): Counter | undefined => {
    if (points === 0) return undefined;
    const shape = { points, duration: WINDOW_SECONDS, keyPrefix: `codemode:${name}` };
    return store === undefined
      ? new RateLimiterMemory(shape)
      : new RateLimiterRedis({ ...shape, storeClient: store.client, rejectIfRedisNotReady: true });
  };
  const rates = [
    { limit: 'key', counter: counter('key', options.perKey) },
    { limit: 'global', counter: counter('global', options.global) },
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
        const waitMs = await waitOf(counter, limit === 'key' ? key : 'all', noteDown);
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
    close: async () => store?.close(),
  };
}

/** Milliseconds to wait, or undefined when the request may pass. */
async function waitOf(
  counter: Counter | undefined,
  key: string,
  noteDown: (caught: unknown) => void,
): Promise<number | undefined> {
  try {
    await counter?.consume(key);
    return undefined;
  } catch (caught) {
    // The store reckons by the wall clock, which may jump: no caller waits longer than a window.
    if (caught instanceof RateLimiterRes) return Math.min(Math.max(1, caught.msBeforeNext), WINDOW_SECONDS * 1000);
    noteDown(caught);
    return undefined;
  }
}

/** Loaded only where it is used. Never waits for Redis: a gateway starts and serves without it. */
async function connectRedis(url: string, log: Logger) {
  const { Redis } = await import('ioredis');
  const client = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: REDIS_TIMEOUT_MS,
    connectTimeout: 2_000,
    retryStrategy: attempt => Math.min(attempt * 200, 5_000),
  });
  // Without a listener ioredis prints to the console; the requests that pass uncounted are logged anyway.
  client.on('error', caught => log.debug({ err: caught }, 'redis'));
  return { client, close: async () => client.disconnect() };
}
