// The fetch function that the SDK uses for the API: sends to the configured origin only, within the limits of the
// current call, and does not follow redirects. Knows no operation.
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayError } from '../errors.ts';
import type { JsonLimits } from '../ground/json-size.ts';
import { BrokenAnswer, type Origin, type OriginAnswer, type OriginRequest } from '../ground/origin.ts';

/** The call that the SDK's requests belong to, and its limits. */
export type ApiCall = {
  readonly origin: Origin;
  readonly principalId: string;
  readonly signal: AbortSignal;
  /** Deadline as `performance.now()`; a request is not repeated if the wait would pass it. */
  readonly endsAt: number;
  readonly limits: JsonLimits;
  /** Called with the path of each request, without the base path. If it throws, the call fails with that error. */
  readonly checkPath?: ((path: string) => void) | undefined;
  /** Called for each piece of a response body. If it throws, the call fails with that error. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
};

const calls = new AsyncLocalStorage<ApiCall>();

/** Makes every API request that the SDK sends while `ask` runs part of this call. */
export const withApi = <T>(call: ApiCall, ask: () => T): T => calls.run(call, ask);

export async function apiFetch(request: Request): Promise<Response> {
  const call = calls.getStore();
  if (call === undefined) throw fault('a request of the SDK that belongs to no call');
  const target = targetOf(request, call.origin);
  call.checkPath?.(target.split('?', 1)[0] ?? '');
  const headers = Object.fromEntries(request.headers);
  const body = request.body === null ? null : new Uint8Array(await request.arrayBuffer());
  const signal = AbortSignal.any([call.signal, request.signal]);
  for (let tried = 1; ; tried++) {
    const answer = await send(call, { method: request.method, target, headers, body }, signal);
    const waitMs = answer.status === 429 ? retryAfterMs(answer) : undefined;
    const retry = waitMs !== undefined && tried < MAX_ATTEMPTS && performance.now() + waitMs < call.endsAt;
    if (!retry) return responseOf(answer);
    await sleep(waitMs, undefined, { signal });
  }
}

/** Maximum attempts for a request that the API refuses with a `Retry-After` header; such a request had no effect. */
const MAX_ATTEMPTS = 4;

/** @throws GatewayError if the response exceeds a limit; otherwise the error of the connection */
async function send(call: ApiCall, request: OriginRequest, signal: AbortSignal): Promise<OriginAnswer> {
  try {
    const { principalId, limits, onBytes } = call;
    return await call.origin.send(request, { principalId, signal, limits, onBytes });
  } catch (caught) {
    throw caught instanceof BrokenAnswer ? caught.cause : caught;
  }
}

/** @throws GatewayError for any other origin, because the key must only go to the configured one */
function targetOf({ url }: Request, { origin, basePath }: Origin): string {
  const wanted = new URL(url);
  if (wanted.origin !== origin || !wanted.pathname.startsWith(`${basePath}/`)) throw fault(`not a URL of ${origin}`);
  return wanted.pathname.slice(basePath.length) + wanted.search;
}

const BODILESS = [101, 204, 205, 304];

function responseOf({ status, headers, body }: OriginAnswer): Response {
  const shown = new Headers();
  for (const [name, value] of Object.entries(headers))
    for (const each of [value].flat()) if (each !== undefined) shown.append(name, each);
  const response = new Response(BODILESS.includes(status) ? null : new Uint8Array(body), { status, headers: shown });
  return Object.assign(response, { json: async () => jsonIn(body) });
}

/** @throws GatewayError, because the SDK's SyntaxError would not tell whose fault it is */
function jsonIn(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new GatewayError('upstream_failed', 'The API answered with something that is not JSON.', { cause });
  }
}

/** The API sends whole seconds. */
function retryAfterMs({ headers }: OriginAnswer): number | undefined {
  const written = [headers['retry-after']].flat()[0];
  return written !== undefined && /^\d{1,6}$/.test(written) ? Number(written) * 1_000 : undefined;
}

const fault = (message: string) => new GatewayError('internal', undefined, { cause: new Error(message) });
