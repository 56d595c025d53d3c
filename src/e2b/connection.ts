// The addresses of E2B, and the options for its SDK. Sets every option, because the SDK reads missing ones from the
// environment. Knows no sandbox.
import { GatewayError } from '../errors.ts';
import type { JsonLimits } from '../ground/json-size.ts';
import { omitUndefined } from '../ground/omit-undefined.ts';
import { Origin } from '../ground/origin.ts';
import { traceHeaders } from '../trace.ts';
import { withApi } from './api-fetch.ts';
import { connectionFailureOf, readSdkError } from './sdk-errors.ts';

export type Connection = {
  /** The API, with the connections that all calls share. */
  readonly api: Origin;
  /** One URL for all sandboxes (self-hosting, local mode). Undefined: each has its own subdomain of `domain`. */
  readonly sandboxUrl: string | undefined;
  readonly domain: string;
};

/** @throws Error if `apiUrl` is not usable, which is a mistake in the configuration */
export function connect(where: {
  readonly apiUrl: string;
  readonly sandboxUrl?: string | undefined;
  readonly domain: string;
}): Connection {
  return { api: new Origin(where.apiUrl), sandboxUrl: where.sandboxUrl, domain: where.domain };
}

export type SdkOptions = {
  readonly apiKey: string;
  readonly apiUrl: string;
  readonly sandboxUrl?: string;
  readonly domain: string;
  readonly debug: false;
  /** Trace headers for the API; sandboxes do not get them. */
  readonly apiHeaders: Readonly<Record<string, string>>;
  readonly requestTimeoutMs: number;
  readonly signal: AbortSignal;
};

export type ApiCallOptions = {
  readonly apiKey: string;
  /** The principal that waits for a connection. */
  readonly principalId: string;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly maxAnswerBytes?: number;
  readonly onBytes?: (bytes: number) => void;
  readonly checkPath?: (path: string) => void;
};

export function sdkOptions(
  { api, sandboxUrl, domain }: Connection,
  call: { readonly apiKey: string; readonly signal: AbortSignal; readonly timeoutMs: number },
): SdkOptions {
  return {
    apiKey: call.apiKey,
    apiUrl: api.url,
    ...omitUndefined({ sandboxUrl }),
    domain,
    debug: false,
    apiHeaders: traceHeaders(),
    requestTimeoutMs: call.timeoutMs,
    signal: call.signal,
  };
}

/** The SDK decodes a response at once and blocks the event loop meanwhile: tens of milliseconds within these limits. */
const ANSWER_LIMITS: JsonLimits = {
  maxBytes: 4_000_000,
  maxValues: 50_000,
  maxKeys: 50_000,
  maxDepth: 64,
  maxKeyBytes: 10_000,
};

/** Calls the API through the SDK. Outside of `ask`, the SDK's API requests fail. */
export function askApi<T>(
  connection: Connection,
  call: ApiCallOptions,
  ask: (sdk: SdkOptions) => Promise<T>,
): Promise<T> {
  const { principalId, signal, timeoutMs, maxAnswerBytes = ANSWER_LIMITS.maxBytes, onBytes, checkPath } = call;
  const limits = { ...ANSWER_LIMITS, maxBytes: Math.min(ANSWER_LIMITS.maxBytes, maxAnswerBytes) };
  const endsAt = performance.now() + timeoutMs;
  const apiCall = { origin: connection.api, principalId, signal, endsAt, limits, onBytes, checkPath };
  return withApi(apiCall, () => ask(sdkOptions(connection, call))).catch(caught => {
    throw !signal.aborted && isUnread(caught) ? notItsProtocol(caught) : caught;
  });
}

/** Whether the SDK could not read a response: the error is neither one of the SDK's own nor one of the connection. */
const isUnread = (caught: unknown): boolean =>
  !(caught instanceof GatewayError) &&
  (caught as { name?: unknown } | null)?.name !== 'AbortError' &&
  readSdkError(caught) === undefined &&
  connectionFailureOf(caught) === undefined;

export const notItsProtocol = (cause?: unknown) =>
  new GatewayError('upstream_failed', 'The API answered with something that is not its protocol.', { cause });
