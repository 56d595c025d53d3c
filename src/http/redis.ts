// The connection to Redis, where there is one. A gateway starts and serves without it.
import type { Redis } from 'ioredis';
import type { Logger } from '../log.ts';

/** What does not answer by then is down. */
const REDIS_TIMEOUT_MS = 250;

/** Loads the client only where it is used. Ends with `disconnect()`. */
export async function connectRedis(url: string, log: Logger): Promise<Redis> {
  // A CommonJS module: bundled, it has its default export only.
  const { default: ioredis } = await import('ioredis');
  const client = new ioredis.Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: REDIS_TIMEOUT_MS,
    connectTimeout: 2_000,
    retryStrategy: attempt => Math.min(attempt * 200, 5_000),
  });
  // Without a listener ioredis prints to the console; what could not be asked is logged by whoever asks.
  client.on('error', caught => log.debug({ err: caught }, 'redis'));
  return client;
}
