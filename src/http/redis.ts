// The connection to Redis, if one is configured. The gateway starts and serves while Redis is down.
import type { Redis } from 'ioredis';
import type { Logger } from '../log.ts';

/** Redis counts as down if it has not responded within this time. */
const REDIS_TIMEOUT_MS = 250;

/** Loads the client library only if it is used. End the connection with `disconnect()`. */
export async function connectRedis(url: string, log: Logger): Promise<Redis> {
  // A CommonJS module: in the bundle it has only its default export.
  const { default: ioredis } = await import('ioredis');
  const client = new ioredis.Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: REDIS_TIMEOUT_MS,
    connectTimeout: 2_000,
    retryStrategy: attempt => Math.min(attempt * 200, 5_000),
  });
  // Without a listener ioredis prints to the console. Failed commands are logged by their callers.
  client.on('error', caught => log.debug({ err: caught }, 'redis'));
  return client;
}
