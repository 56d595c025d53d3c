// Converts what the SDK throws when a sandbox cannot be created or used: the error for the caller, whether a retry is useful,
// and whether a sandbox may exist nevertheless. Pure.
import {
  AuthenticationError,
  NotFoundError,
  RateLimitError,
  SandboxError,
  TemplateError,
  TimeoutError,
} from '../../e2b/sdk.ts';
import { isConcurrencyLimit } from '../../e2b/sdk-errors.ts';
import { ERRORS, type ErrorCode, GatewayError } from '../../errors.ts';
import { omitUndefined } from '../../ground/omit-undefined.ts';

export type StartFailure = {
  readonly error: GatewayError;
  readonly retry: boolean;
  /** The request may have taken effect although its response says otherwise or never came. */
  readonly maybeCreated: boolean;
};

const MAX_DETAIL_CHARS = 300;
/** Other runs end within seconds, and E2B's rates are counted per second. */
const RETRY_AFTER_MS = 2_000;

export function startFailureOf(caught: unknown): StartFailure {
  if (caught instanceof GatewayError) return { error: caught, retry: false, maybeCreated: false };
  const status = statusOf(caught);
  if (status === 401 || status === 403) return final('engine_key_refused', caught);
  if (status === 429) {
    const full = isConcurrencyLimit(textOf(caught));
    return retryable(full ? 'engine_full' : 'engine_rate_limited', caught, false);
  }
  if (status === 404 || caught instanceof TemplateError) return final('engine_template_invalid', caught);
  if (status !== undefined && status < 500) return final('engine_unavailable', caught);
  if (isTimeout(caught)) return { ...final('engine_start_timeout', caught), maybeCreated: true };
  return retryable('engine_unavailable', caught, true);
}

function final(code: ErrorCode, cause: unknown): StartFailure {
  return { error: withDetail(code, cause), retry: false, maybeCreated: false };
}

function retryable(code: ErrorCode, cause: unknown, maybeCreated: boolean): StartFailure {
  return { error: withDetail(code, cause, RETRY_AFTER_MS), retry: true, maybeCreated };
}

/** The message of E2B's response helps the caller; the message of a failed connection is for the log only. */
function withDetail(code: ErrorCode, cause: unknown, retryAfterMs?: number): GatewayError {
  const detail = statusOf(cause) === undefined ? '' : textOf(cause).slice(0, MAX_DETAIL_CHARS);
  const message = detail === '' ? undefined : `${ERRORS[code].message} E2B said: ${detail}`;
  return new GatewayError(code, message, { cause, ...omitUndefined({ retryAfterMs }) });
}

function statusOf(caught: unknown): number | undefined {
  if (caught instanceof AuthenticationError) return 401;
  if (caught instanceof RateLimitError) return 429;
  if (caught instanceof NotFoundError) return 404;
  const status = (caught as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' ? status : undefined;
}

function isTimeout(caught: unknown): boolean {
  if (caught instanceof TimeoutError) return true;
  const { name } = (caught ?? {}) as { name?: unknown };
  return name === 'TimeoutError' || name === 'AbortError';
}

/** The message as one line of printable characters. */
function textOf(caught: unknown): string {
  const message = caught instanceof Error || caught instanceof SandboxError ? caught.message : String(caught);
  return message.replace(/[^\x20-\x7e]+/g, ' ').trim();
}
