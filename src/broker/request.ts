// The capability `api.request`: guard, send, redact, answer. The order is its whole knowledge.
import { GatewayError } from '../errors.ts';
import type { UpstreamAnswer, UpstreamClient } from '../upstream/client.ts';
import { UpstreamError } from '../upstream/failure.ts';
import { type GuardedRequest, guardRequest, labelOf } from '../upstream/guard.ts';
import type { Operations } from '../upstream/operations.ts';
import { maskKey, redactAnswer } from '../upstream/redact.ts';
import { hideRunners, type IsHidden, refuseRunnerRequest } from '../upstream/runners.ts';
import type { CallContext, Capability } from './broker.ts';
import { sandboxesMade } from './made.ts';

export type RequestParts = {
  readonly client: UpstreamClient;
  /** Asked at each call, so that a refreshed description takes effect. */
  readonly operations: () => Operations;
  /** Sandboxes that run agents' code. Default: none. */
  readonly isHidden?: IsHidden;
};

/** Answers the JSON text of `{ status, ok, headers, data }`; non-2xx is an answer like any other. */
export function createRequestCapability({ client, operations, isHidden = () => false }: RequestParts): Capability {
  return async (args, context) => {
    const request = guard(args, context, operations());
    context.call.name(request.label, request.write);
    refuseRunnerRequest(request, isHidden);
    context.checkRequest(request.body === undefined ? 0 : Buffer.byteLength(request.body));
    const answer = await send(client, request, context);
    return compose(hideRunners(answer, request), request, context.principal.apiKey);
  };
}

function guard(args: unknown, context: CallContext, operations: Operations): GuardedRequest {
  try {
    return guardRequest(args, context.mode, operations);
  } catch (caught) {
    const asked = labelOf(args);
    if (asked !== undefined) context.call.name(asked.label, asked.write);
    throw caught;
  }
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
    call.made(sandboxesMade(request.label, received));
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
