// Rate limits per address for each kind of sign-in request. Hosted clients send requests of all their users from a few
// addresses, so the limits are high for requests that are cheap, and low for those that try a key or cause a fetch.
import type { RequestHandler } from 'express';
import type { Redis } from 'ioredis';
import { GatewayError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { type Counter, createCounter } from '../counter.ts';
import { addressGroup } from './addresses.ts';

export type RateOptions = {
  /** Requests per minute from one address; 0: no limit. */
  readonly pages: number;
  readonly keys: number;
  readonly tokens: number;
  readonly redis: Redis | undefined;
  readonly log: Logger;
  readonly onLimited: (() => void) | undefined;
};

export type Rates = Readonly<Record<'page' | 'key' | 'register' | 'token', RequestHandler>> & {
  /** @throws GatewayError rate_limited */
  admitFetch(address: string | undefined): Promise<void>;
};

const FETCHES_A_MINUTE = 10;
const LOG_EVERY_MS = 10_000;

export function createRates({ pages, keys, tokens, redis, log, onLimited }: RateOptions): Rates {
  let loggedAt = Number.NEGATIVE_INFINITY;
  const onDown = (caught: unknown) => {
    if (performance.now() - loggedAt < LOG_EVERY_MS) return;
    loggedAt = performance.now();
    log.error({ err: caught }, 'Redis does not respond: sign-ins are not rate limited');
  };
  const count = async (counter: Counter, address: string | undefined) => {
    const waitMs = await counter.waitMs(addressGroup(address), onDown);
    if (waitMs === undefined) return;
    onLimited?.();
    const seconds = Math.ceil(waitMs / 1000);
    throw new GatewayError('rate_limited', `Too many requests from this address. Wait ${seconds} s, then try again.`, {
      retryAfterMs: waitMs,
    });
  };
  const limit = (name: string, perMinute: number): RequestHandler => {
    const counter = createCounter(`oauth:${name}`, perMinute, redis);
    return async ({ ip }, _response, next) => {
      await count(counter, ip);
      next();
    };
  };
  const fetches = createCounter('oauth:fetch', FETCHES_A_MINUTE, redis);
  return {
    page: limit('page', pages),
    key: limit('key', keys),
    register: limit('register', pages),
    token: limit('token', tokens),
    admitFetch: address => count(fetches, address),
  };
}
