// What the SDK and the sandbox throw, as errors a guest may read: the SDK's name and message (the guest's side makes them
// errors of that name again), never a key, a token or a stack.
import { ERRORS, GatewayError } from '../../errors.ts';
import { maskKey } from '../../upstream/redact.ts';
import { maskTokens, type Tokens } from './tokens.ts';

const MAX_MESSAGE_CHARS = 1_000;

/** As the SDK names it, and in the words of its option. */
export const noAnswer = (requestTimeoutMs: number) =>
  new GatewayError('sandbox_failed', `TimeoutError: no answer within ${requestTimeoutMs} ms (requestTimeoutMs).`);

/** SDK error -> the HTTP status the other side answered with. Those without one may not have been answered at all. */
const STATUS_OF: Readonly<Record<string, number>> = {
  InvalidArgumentError: 400,
  AuthenticationError: 401,
  NotFoundError: 404,
  FileNotFoundError: 404,
  SandboxNotFoundError: 404,
  RateLimitError: 429,
  ServiceBusyError: 503,
  NotEnoughSpaceError: 507,
};
const SDK_ERROR = /^(?:Sandbox|Timeout|Template|CommandExit)Error$/;

export type Secrets = { readonly apiKey: string; readonly tokens: Tokens };

/** `status`: set when the other side is known to have answered. */
export type Failure = { readonly error: GatewayError; readonly status: number | undefined };

export function toFailure(caught: unknown, aborted: boolean, secrets: Secrets): Failure {
  if (caught instanceof GatewayError) return { error: caught, status: undefined };
  if (aborted) return { error: new GatewayError('cancelled', undefined, { cause: caught }), status: undefined };
  const { name, message, statusCode } = fieldsOf(caught);
  const known = STATUS_OF[name];
  if (known !== undefined || SDK_ERROR.test(name)) {
    const text = plainly(name, clean(message, secrets));
    const error = new GatewayError('sandbox_failed', `${name}: ${text}`, { cause: caught });
    return { error, status: statusCode ?? known };
  }
  const systemCode = systemCodeOf(caught);
  if (systemCode === undefined)
    return { error: new GatewayError('internal', undefined, { cause: caught }), status: undefined };
  const detail = `${ERRORS.upstream_unreachable.message.slice(0, -1)} (${systemCode}).`;
  return { error: new GatewayError('upstream_unreachable', detail, { cause: caught }), status: undefined };
}

/**
 * One sentence for a sandbox that is not there, whichever call meets it: the SDK has a dozen, some of which name a
 * paused sandbox, a gateway status or a timeout that was never set.
 */
function plainly(name: string, text: string): string {
  const [id] = /\bi[a-z0-9]{14,40}\b/.exec(text) ?? [];
  if (name === 'SandboxNotFoundError' || /probably not running anymore|sandbox was not found/i.test(text))
    return `Sandbox ${id === undefined ? 'does' : `${id} does`} not exist (any more): it was killed, or its time ran out. Sandbox.list() shows yours.`;
  if (ENDED_MEANWHILE.test(text))
    return 'The sandbox ended or was paused while the call was under way: it was killed, or its time ran out. Sandbox.list() shows yours.';
  return text;
}

const ENDED_MEANWHILE =
  /likely due to sandbox timeout|^(?:\d+: )?\[(?:unknown|unavailable)\] (?:terminated|the sandbox was stopped)/;

/** Words from outside: one line, bounded, without secrets. */
export function clean(message: string, { apiKey, tokens }: Secrets): string {
  const text = maskTokens(maskKey(message, apiKey), tokens);
  const line = text.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  return line.length > MAX_MESSAGE_CHARS ? `${line.slice(0, MAX_MESSAGE_CHARS)}…` : line;
}

function fieldsOf(caught: unknown): { name: string; message: string; statusCode: number | undefined } {
  const { name, message, statusCode } = (caught ?? {}) as Record<string, unknown>;
  return {
    name: typeof name === 'string' ? name : '',
    message: typeof message === 'string' ? message : '',
    statusCode: typeof statusCode === 'number' ? statusCode : undefined,
  };
}

/** `ECONNREFUSED`, `UND_ERR_SOCKET` … of a failed fetch, or the error beneath it. */
function systemCodeOf(caught: unknown): string | undefined {
  for (let at = caught, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const { code } = at as { code?: unknown };
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(code)) return code;
  }
  return caught instanceof TypeError && caught.message === 'fetch failed' ? 'no connection' : undefined;
}
