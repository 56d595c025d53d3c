// Converts errors of the SDK and of sandboxes to errors that a guest may read: the SDK's error name and a message
// without keys, tokens or a stack. The guest's prelude makes errors of the same name from them.
import {
  connectionFailureOf,
  endedMeanwhile,
  isSandboxMissing,
  readSdkError,
  type SdkError,
} from '../../e2b/sdk-errors.ts';
import { ERRORS, GatewayError } from '../../errors.ts';
import { LONGEST_SPELLING_CHARS, maskKey } from '../../upstream/key-spellings.ts';
import { maskTokens, type Secrets } from './tokens.ts';

const MAX_MESSAGE_CHARS = 1_000;
/** Maximum characters of a message that are masked. Cutting it there may split a key, so the end is then dropped. */
const MAX_READ_CHARS = 32_000;

/** Uses the SDK's name for the error, and the name of its option. */
export const noAnswer = (requestTimeoutMs: number) =>
  new GatewayError('sandbox_failed', `TimeoutError: no answer within ${requestTimeoutMs} ms (requestTimeoutMs).`);

/** `status`: undefined if it is not known that a response arrived. */
export type Failure = { readonly error: GatewayError; readonly status: number | undefined };

export function toFailure(caught: unknown, aborted: boolean, secrets: Secrets): Failure {
  if (caught instanceof GatewayError) return { error: caught, status: undefined };
  if (aborted) return { error: new GatewayError('cancelled', undefined, { cause: caught }), status: undefined };
  const sdkError = readSdkError(caught);
  if (sdkError !== undefined) {
    const text = messageFor({ ...sdkError, message: clean(sdkError.message, secrets) });
    const error = new GatewayError('sandbox_failed', `${sdkError.name}: ${text}`, { cause: caught });
    return { error, status: sdkError.status };
  }
  const failure = connectionFailureOf(caught);
  const error =
    failure === undefined
      ? new GatewayError('internal', undefined, { cause: caught })
      : new GatewayError('upstream_unreachable', `${ERRORS.upstream_unreachable.message} Reason: ${failure}.`, {
          cause: caught,
        });
  return { error, status: undefined };
}

/** Uses the same sentence for a missing or ended sandbox in every method. */
function messageFor({ name, message }: SdkError): string {
  const [id] = /\bi[a-z0-9]{14,40}\b/.exec(message) ?? [];
  if (isSandboxMissing(name, message))
    return `Sandbox ${id === undefined ? '' : `${id} `}not found: it does not exist (any more), was killed, or its time ran out. Sandbox.list() shows yours.`;
  if (endedMeanwhile(message))
    return 'The sandbox ended or was paused while the call was under way: it was killed, or its time ran out. Sandbox.list() shows yours.';
  return message;
}

/** Reduces text from outside to one line of limited length without secrets. */
export function clean(message: string, { apiKey, tokens }: Secrets): string {
  const masked = maskTokens(maskKey(message.slice(0, MAX_READ_CHARS), apiKey), tokens);
  const text = message.length > MAX_READ_CHARS ? masked.slice(0, -LONGEST_SPELLING_CHARS) : masked;
  const line = text.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  return line.length > MAX_MESSAGE_CHARS ? `${line.slice(0, MAX_MESSAGE_CHARS)}…` : line;
}
