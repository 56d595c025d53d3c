// The only place that talks to the upstream API: sends guarded requests to one origin, and nothing else. Adds the key,
// keeps time and size, repeats reads. Knows nothing of guests, budgets or what an answer means.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Dispatcher, Pool } from 'undici';
import { GatewayError } from '../errors.ts';
import { BrokenAnswer, Failure, toFailure, withStatus } from './failure.ts';
import { type GuardedRequest, isGuarded } from './guard.ts';

export type UpstreamOptions = {
  /** https, or http on a loopback address; may carry a base path. */
  readonly apiUrl: string;
  /** Before the second attempt; doubles. `Retry-After` comes first. */
  readonly retryDelayMs?: number;
};

export type SendOptions = {
  readonly apiKey: string;
  readonly signal: AbortSignal;
  readonly maxAnswerBytes: number;
  /** Attempts and the waits between them together. */
  readonly timeoutMs: number;
  /** The caller's trace context, e.g. `traceparent`; made by the host, never by a guest. */
  readonly traceHeaders?: Readonly<Record<string, string>>;
  /** Told of each piece of an answer's body; what it throws ends the call. */
  readonly onBytes?: (bytes: number) => void;
};

/** `headers`: those a guest may see, names in lower case. */
export type UpstreamAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
};

export type UpstreamClient = {
  /** Any status is an answer. @throws UpstreamError */
  send(request: GuardedRequest, options: SendOptions): Promise<UpstreamAnswer>;
  close(): Promise<void>;
};

const USER_AGENT = 'e2b-code-mode';
/** Of a read, the first included. A write is sent once. */
const MAX_ATTEMPTS = 4;
const SHOWN_HEADERS = ['x-next-token', 'x-total-running', 'retry-after', 'content-type'];
const RETRIED_STATUSES = new Set([429, 502, 503, 504]);
/** @throws Error when `apiUrl` is not usable: a fault of the configuration. */
export function createUpstreamClient(options: UpstreamOptions): UpstreamClient {
  const { origin, basePath } = readApiUrl(options.apiUrl);
  const retryDelayMs = options.retryDelayMs ?? 250;
  const pool = new Pool(origin, {
    connections: 128,
    connect: { timeout: 10_000 },
    keepAliveTimeout: 30_000,
    // Each call keeps its own time, over all attempts.
    headersTimeout: 0,
    bodyTimeout: 0,
  });

  const attempt = async (request: GuardedRequest, send: SendOptions, signal: AbortSignal): Promise<UpstreamAnswer> => {
    const response = await pool.request({
      method: request.method,
      path: targetOf(basePath, request),
      headers: { ...send.traceHeaders, ...headersOf(request, send.apiKey) },
      body: request.body ?? null,
      signal,
    });
    const status = response.statusCode;
    try {
      return { status, headers: shownHeaders(response.headers), text: await readText(response, send) };
    } catch (caught) {
      throw caught instanceof GatewayError ? withStatus(caught, status) : new BrokenAnswer(status, caught);
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
          const again = outcome instanceof Failure ? outcome.passing : RETRIED_STATUSES.has(outcome.status);
          if (!last && again && waitMs < clock.leftMs()) await sleep(waitMs, undefined, { signal: clock.signal });
          else if (outcome instanceof Failure) throw outcome.error;
          else return outcome;
        }
      } catch (caught) {
        throw caught instanceof GatewayError ? caught : toFailure(caught, request, clock.ending()).error;
      } finally {
        clock.stop();
      }
    },
    close: () => pool.destroy(),
  };

  function backoff(tried: number): number {
    return retryDelayMs * 2 ** (tried - 1) * (0.75 + Math.random() / 2);
  }
}

/** Path and query as they go onto the wire: the base path is in front of whatever the guard let through. */
export function targetOf(basePath: string, request: GuardedRequest): string {
  return basePath + request.path + (request.query === '' ? '' : `?${request.query}`);
}

export function readApiUrl(apiUrl: string): { readonly origin: string; readonly basePath: string } {
  const url = new URL(apiUrl);
  const loopback = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname) || url.hostname.endsWith('.localhost');
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback)) {
    throw new Error('The API URL must be https (http only for loopback addresses): the key travels with each request.');
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new Error('The API URL must hold no credentials, query or fragment.');
  }
  return { origin: url.origin, basePath: url.pathname.replace(/\/+$/, '') };
}

function headersOf(request: GuardedRequest, apiKey: string): Record<string, string> {
  return {
    'x-api-key': apiKey,
    'user-agent': USER_AGENT,
    accept: request.accept ?? 'application/json',
    ...(request.contentType === undefined ? {} : { 'content-type': request.contentType }),
  };
}

function shownHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const shown: Record<string, string> = {};
  for (const name of SHOWN_HEADERS) {
    const value = [headers[name]].flat()[0];
    if (value !== undefined) shown[name] = value;
  }
  return shown;
}

async function readText(response: Dispatcher.ResponseData, send: SendOptions): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop early destroys the connection: the rest is never read.
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > send.maxAnswerBytes) {
      const detail = `The answer is larger than ${send.maxAnswerBytes} bytes. Ask for less: use limit, filters or a narrower path.`;
      throw new GatewayError('answer_too_large', detail);
    }
    send.onBytes?.(chunk.byteLength);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes).toString('utf8');
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
  /** Why calls end now, if they do. */
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
