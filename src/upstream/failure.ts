// Classifies a request that got no complete response: which error it is, whether the request may have had an effect,
// and whether to try again. Pure. Messages name the operation, never an address, a query or a key.
import { type ErrorCode, GatewayError } from '../errors.ts';
import { BrokenAnswer } from '../ground/origin.ts';
import type { GuardedRequest } from './guard.ts';

/** `sent`: the request may have reached the API. `answeredStatus`: the API answered, but the body is incomplete. */
export class UpstreamError extends GatewayError {
  readonly sent: boolean;
  readonly answeredStatus: number | undefined;

  constructor(
    code: ErrorCode,
    detail: string,
    facts: { sent: boolean; answeredStatus?: number | undefined; cause?: unknown },
  ) {
    super(code, detail, { cause: facts.cause });
    this.sent = facts.sent;
    this.answeredStatus = facts.answeredStatus;
  }
}

/** Failures before the first byte was sent. */
const NOT_SENT =
  /^(?:NO_PLACE|ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|UND_ERR_INVALID_ARG|ERR_TLS_\w+|CERT_\w+|\w+_CERT\w*|\w+_SIGNATURE)$/;
/** Failures of a connection that may not occur in a second attempt. */
const PASSING = /^(?:ECONNREFUSED|ECONNRESET|EPIPE|EAI_AGAIN|UND_ERR_SOCKET|UND_ERR_CONNECT_TIMEOUT)$/;

/** `passing`: another attempt may succeed. */
export class Failure {
  readonly error: GatewayError;
  readonly passing: boolean;
  constructor(error: GatewayError, passing: boolean) {
    this.error = error;
    this.passing = passing;
  }
}

export const withStatus = (error: GatewayError, status: number) =>
  new UpstreamError(error.code, error.message, { sent: true, answeredStatus: status, cause: error.cause });

/** `ending`: why the call ends now; undefined if the connection failed. */
export function toFailure(
  caught: unknown,
  request: GuardedRequest,
  ending: 'timeout' | 'cancelled' | undefined,
): Failure {
  if (caught instanceof GatewayError) return new Failure(caught, false);
  const answeredStatus = caught instanceof BrokenAnswer ? caught.status : undefined;
  const systemCode = systemCodeOf(caught instanceof BrokenAnswer ? caught.cause : caught);
  const sent = answeredStatus !== undefined || !NOT_SENT.test(systemCode);
  const facts = { sent, answeredStatus, cause: caught };
  const fail = (code: ErrorCode, detail: string) => new UpstreamError(code, detail + aftermath(request, sent), facts);
  if (ending === 'timeout')
    return new Failure(fail('upstream_timeout', `${request.label} got no answer in time.`), false);
  if (ending === 'cancelled')
    return new Failure(fail('cancelled', `${request.label} was cut off because the run ended.`), false);
  const shown = systemCode === '' ? '' : ` (${systemCode})`;
  const error = fail('upstream_unreachable', `${request.label} got no answer: the connection failed${shown}.`);
  return new Failure(error, PASSING.test(systemCode));
}

function aftermath(request: GuardedRequest, sent: boolean): string {
  if (!request.write) return ' Try again.';
  return sent
    ? ' It was sent and may have taken effect: read the state before you send it again.'
    : ' It was not sent.';
}

/** The error code of Node or undici, e.g. `ECONNRESET`. */
function systemCodeOf(caught: unknown): string {
  const code = (caught as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}
