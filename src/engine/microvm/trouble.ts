// What the SDK throws when a sandbox cannot be had -> which error the caller reads, whether trying again makes sense,
// and whether a sandbox may exist all the same. Pure.
import {
  AuthenticationError,
  NotFoundError,
  RateLimitError,
  SandboxError,
  TemplateError,
  TimeoutError,
} from '../../e2b/sdk.ts';
import { ERRORS, type ErrorCode, GatewayError } from '../../errors.ts';

export type Trouble = {
  readonly error: GatewayError;
  readonly retry: boolean;
  /** The request may have taken effect though its answer says otherwise or never came. */
  readonly maybeCreated: boolean;
};

const MAX_DETAIL_CHARS = 300;
/** For those who are told to come back: other runs end, and rates are counted by the second. */
const RETRY_AFTER_MS = 2_000;

export function troubleOf(caught: unknown): Trouble {
  if (caught instanceof GatewayError) return { error: caught, retry: false, maybeCreated: false };
  const status = statusOf(caught);
  if (status === 401 || status === 403) return final('engine_key_refused', caught);
  if (status === 429) {
    const full = /concurren/i.test(textOf(caught));
    return again(full ? 'engine_full' : 'engine_rate_limited', caught, false);
  }
  if (status === 404 || caught instanceof TemplateError) return final('engine_template_invalid', caught);
  if (status !== undefined && status < 500) return final('engine_unavailable', caught);
  if (isTimeout(caught)) return { ...final('engine_start_timeout', caught), maybeCreated: true };
  return again('engine_unavailable', caught, true);
}

function final(code: ErrorCode, cause: unknown): Trouble {
  return { error: withDetail(code, cause), retry: false, maybeCreated: false };
}

function again(code: ErrorCode, cause: unknown, maybeCreated: boolean): Trouble {
  return { error: withDetail(code, cause, RETRY_AFTER_MS), retry: true, maybeCreated };
}

/** E2B's own words help where it answered; what a socket said is for the log. */
function withDetail(code: ErrorCode, cause: unknown, retryAfterMs?: number): GatewayError {
  const said = statusOf(cause) === undefined ? '' : textOf(cause).slice(0, MAX_DETAIL_CHARS);
  const message = said === '' ? undefined : `${ERRORS[code].message} E2B said: ${said}`;
  return new GatewayError(code, message, { cause, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
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

/** One line, printable. */
function textOf(caught: unknown): string {
  const message = caught instanceof Error || caught instanceof SandboxError ? caught.message : String(caught);
  return message.replace(/[^\x20-\x7e]+/g, ' ').trim();
}
