// Sends guarded requests, and no others, to the upstream API: adds the key, enforces the timeout, repeats reads. Knows
// neither guests nor budgets nor the meaning of a response.
import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayError } from '../errors.ts';
import type { JsonLimits, JsonSize } from '../ground/json-size.ts';
import { BrokenAnswer, type Origin, type OriginAnswer } from '../ground/origin.ts';
import { PACKAGE } from '../ground/package.ts';
import type { Principal } from '../principal.ts';
import { Failure, toFailure, withStatus } from './failure.ts';
import { type GuardedRequest, isGuarded } from './guard.ts';

export type SendOptions = {
  /** Provides the key, and the id by which callers take turns for connections. */
  readonly principal: Pick<Principal, 'id' | 'apiKey'>;
  readonly signal: AbortSignal;
  readonly limits: JsonLimits;
  /** Time limit for all attempts and the waits between them together. */
  readonly timeoutMs: number;
  /** The caller's trace context, e.g. `traceparent`; made by the host, never by a guest. */
  readonly traceHeaders?: Readonly<Record<string, string>>;
  /** Called for each piece of the response body. If it throws, the call fails with that error. */
  readonly onBytes?: (bytes: number) => void;
  /** See `turn` of OriginOptions. */
  readonly turn?: () => Promise<unknown>;
};

/** `headers`: those that a guest may see, with names in lower case. `size`: see OriginAnswer. */
export type UpstreamAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer<ArrayBuffer>;
  readonly size: JsonSize | undefined;
};

export type UpstreamClient = {
  /** Resolves for any status. @throws UpstreamError */
  send(request: GuardedRequest, options: SendOptions): Promise<UpstreamAnswer>;
};

/** Maximum attempts of a read, the first included. A write is sent once. */
const MAX_ATTEMPTS = 4;
const SHOWN_HEADERS = ['x-next-token', 'x-total-running', 'retry-after', 'content-type'];
const RETRIED_STATUSES = new Set([429, 502, 503, 504]);

/** @param retryDelayMs wait before the second attempt, doubled for each further one. `Retry-After` takes precedence. */
export function createUpstreamClient(origin: Origin, { retryDelayMs = 250 } = {}): UpstreamClient {
  const attempt = async (request: GuardedRequest, send: SendOptions, signal: AbortSignal): Promise<UpstreamAnswer> => {
    const { method, body = null } = request;
    const { principal, limits, onBytes, turn } = send;
    const headers = { ...send.traceHeaders, ...headersOf(request, principal.apiKey) };
    try {
      const sent = { method, target: targetOf(request), headers, body };
      const answer = await origin.send(sent, { principalId: principal.id, signal, limits, onBytes, turn });
      return { ...answer, headers: shownHeaders(answer.headers) };
    } catch (caught) {
      const refused = caught instanceof BrokenAnswer && caught.cause instanceof GatewayError;
      throw refused ? withStatus(caught.cause as GatewayError, caught.status) : caught;
    }
  };

  return {
    async send(request, send) {
      if (!isGuarded(request))
        throw new GatewayError('internal', undefined, { cause: new Error('not a guarded request') });
      const clock = startClock(send.signal, send.timeoutMs);
      try {
        for (let tried = 1; ; tried++) {
          const last = request.write || tried >= MAX_ATTEMPTS;
          const outcome = await attempt(request, send, clock.signal).catch(caught =>
            toFailure(caught, request, clock.ending()),
          );
          const waitMs = outcome instanceof Failure ? backoff(tried) : (retryAfterMs(outcome) ?? backoff(tried));
          const retry = outcome instanceof Failure ? outcome.passing : RETRIED_STATUSES.has(outcome.status);
          if (!last && retry && waitMs < clock.leftMs()) await sleep(waitMs, undefined, { signal: clock.signal });
          else if (outcome instanceof Failure) throw outcome.error;
          else return outcome;
        }
      } catch (caught) {
        throw caught instanceof GatewayError ? caught : toFailure(caught, request, clock.ending()).error;
      } finally {
        clock.stop();
      }
    },
  };

  function backoff(tried: number): number {
    return retryDelayMs * 2 ** (tried - 1) * (0.75 + Math.random() / 2);
  }
}

/** Path and query as they are sent. */
export const targetOf = ({ path, query }: GuardedRequest): string => path + (query === '' ? '' : `?${query}`);

function headersOf(request: GuardedRequest, apiKey: string): Record<string, string> {
  return {
    'x-api-key': apiKey,
    'user-agent': PACKAGE.name,
    accept: request.accept ?? 'application/json',
    ...(request.contentType === undefined ? {} : { 'content-type': request.contentType }),
  };
}

function shownHeaders(headers: OriginAnswer['headers']): Record<string, string> {
  const shown: Record<string, string> = {};
  for (const name of SHOWN_HEADERS) {
    const value = [headers[name]].flat()[0];
    if (value !== undefined) shown[name] = value;
  }
  return shown;
}

/** `Retry-After` in milliseconds: seconds or an HTTP date. */
function retryAfterMs(answer: UpstreamAnswer): number | undefined {
  const written = answer.headers['retry-after'];
  if (written === undefined) return undefined;
  const ms = /^\d+$/.test(written) ? Number(written) * 1000 : Date.parse(written) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

// --- Time ----------------------------------------------------------------------------------------------------------

type Clock = {
  readonly signal: AbortSignal;
  /** Why the call ends now, if it does. */
  ending(): 'timeout' | 'cancelled' | undefined;
  leftMs(): number;
  stop(): void;
};

function startClock(caller: AbortSignal, timeoutMs: number): Clock {
  const controller = new AbortController();
  const endsAt = performance.now() + timeoutMs;
  let timedOut = false;
  const cancel = () => controller.abort();
  const timer = setTimeout(() => {
    timedOut = true;
    controller.abort();
  }, timeoutMs);
  if (caller.aborted) cancel();
  caller.addEventListener('abort', cancel, { once: true });
  return {
    signal: controller.signal,
    ending: () => (timedOut ? 'timeout' : controller.signal.aborted ? 'cancelled' : undefined),
    leftMs: () => endsAt - performance.now(),
    stop() {
      clearTimeout(timer);
      caller.removeEventListener('abort', cancel);
    },
  };
}
