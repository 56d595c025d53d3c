// The capability `api.request`: guard, send, redact, answer. The order is its whole knowledge; an API's own rules are
// handed in as `around`.
import { GatewayError } from '../errors.ts';
import type { UpstreamAnswer, UpstreamClient } from '../upstream/client.ts';
import { UpstreamError } from '../upstream/failure.ts';
import { type GuardedRequest, guardRequest } from '../upstream/guard.ts';
import type { Operations } from '../upstream/operations.ts';
import { maskKey, redactAnswer } from '../upstream/redact.ts';
import type { CallContext, Capability } from './broker.ts';

/** Put around the sending of each request that passed the guard: may refuse it, add to it, or change the answer. */
export type AroundSend = (
  request: GuardedRequest,
  context: CallContext,
  send: (request: GuardedRequest) => Promise<UpstreamAnswer>,
) => Promise<UpstreamAnswer>;

export type RequestParts = {
  readonly client: UpstreamClient;
  /** Asked at each call, so that a refreshed description takes effect. */
  readonly operations: () => Operations;
  readonly around?: AroundSend | undefined;
};

const sendOnly: AroundSend = (request, _context, send) => send(request);

/** Answers the JSON text of `{ status, ok, headers, data }`; non-2xx is an answer like any other. */
export function createRequestCapability({ client, operations, around = sendOnly }: RequestParts): Capability {
  return async (args, context) => {
    const { call, mode, principal } = context;
    const request = guardRequest(args, mode, operations(), call.name);
    call.name(request.label, request.write, actOf(request));
    context.checkRequest(request.body === undefined ? 0 : Buffer.byteLength(request.body));
    const answer = await around(request, context, guarded => send(client, guarded, context));
    return compose(answer, request, principal.apiKey);
  };
}

function actOf({ effect, resource, pathParameters }: GuardedRequest) {
  const [id] = Object.values(pathParameters);
  return { effect, ...(resource !== undefined && { resource }), ...(id !== undefined && { id }) };
}

async function send(client: UpstreamClient, request: GuardedRequest, context: CallContext): Promise<UpstreamAnswer> {
  const { principal, limits, signal, call, answer } = context;
  call.sent();
  try {
    const received = await client.send(request, {
      apiKey: principal.apiKey,
      signal,
      maxAnswerBytes: limits.maxAnswerBytes,
      timeoutMs: limits.callTimeoutMs,
      onBytes: answer.take,
    });
    call.answered(received.status);
    return received;
  } catch (caught) {
    if (caught instanceof UpstreamError) {
      if (caught.answeredStatus !== undefined) call.answered(caught.answeredStatus);
      else if (!caught.sent) call.notSent();
      throw caught;
    }
    throw caught instanceof GatewayError ? caught : new GatewayError('internal', undefined, { cause: caught });
  }
}

/** Composed as text: a large answer is not built anew only to be written out again. */
function compose(answer: UpstreamAnswer, request: GuardedRequest, apiKey: string): string {
  const data = redactAnswer(answer.text, request.operation, apiKey);
  const headers = maskKey(JSON.stringify(answer.headers), apiKey);
  const ok = answer.status >= 200 && answer.status < 300;
  return `{"status":${answer.status},"ok":${ok},"headers":${headers},"data":${data}}`;
}
