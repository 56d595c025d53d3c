// The capability `api.request`: checks the request, sends it, and returns the response as far as a guest may see it.
// The rules of a particular API are passed in as `around`.
import { GatewayError } from '../errors.ts';
import { type JsonText, jsonOf } from '../ground/json-text.ts';
import { omitUndefined } from '../ground/omit-undefined.ts';
import type { AnswerPlan } from '../upstream/answer.ts';
import type { UpstreamAnswer, UpstreamClient } from '../upstream/client.ts';
import { UpstreamError } from '../upstream/failure.ts';
import { type GuardedRequest, guardRequest } from '../upstream/guard.ts';
import { maskKey } from '../upstream/key-spellings.ts';
import type { Operations } from '../upstream/operations.ts';
import { secretsOf } from '../upstream/redact.ts';
import type { PreparedAnswer } from './answer-job.ts';
import type { Answers } from './answers.ts';
import type { CallContext, Capability } from './capabilities.ts';

/** What the rules of an API need from the reading of a response. */
type Reading = Pick<AnswerPlan, 'hiddenMetadataKey' | 'ownMetadataKey' | 'findMade'>;

/** A response as far as a guest may see it. */
export type SentAnswer = Pick<UpstreamAnswer, 'status' | 'headers'> & { readonly shaped: PreparedAnswer };

/** Wraps the sending of each request that passed the guard: may refuse it, add to it, or change the response. */
export type AroundSend = (
  request: GuardedRequest,
  context: CallContext,
  send: (request: GuardedRequest, reading?: Reading) => Promise<SentAnswer>,
) => Promise<SentAnswer>;

export type RequestParts = {
  readonly client: UpstreamClient;
  readonly answers: Answers;
  /** A function, so that each call uses the current description. */
  readonly operations: () => Operations;
  readonly around?: AroundSend | undefined;
};

/** Each value costs the gateway many times its bytes, and no agent needs more than this. */
const ANSWER_LIMITS = { maxValues: 400_000, maxKeys: 400_000, maxDepth: 100, maxKeyBytes: 10_000 };

const sendOnly: AroundSend = (request, _context, send) => send(request);

/** The capability returns `{ status, ok, headers, data }`, for statuses other than 2xx as well. */
export function createRequestCapability({ client, answers, operations, around = sendOnly }: RequestParts): Capability {
  const sendAndRead = async (request: GuardedRequest, context: CallContext, reading: Reading): Promise<SentAnswer> => {
    const { status, headers, ...answer } = await send(client, request, context);
    const { principal, signal } = context;
    const { operation } = request;
    const plan: AnswerPlan = {
      apiKey: principal.apiKey,
      secrets: operation && secretsOf(operation),
      hiddenMetadataKey: reading.hiddenMetadataKey,
      ownMetadataKey: reading.ownMetadataKey,
      findMade: reading.findMade === true && status === 201,
    };
    const { value: shaped, ms } = await answers.shape(answer, plan, { principalId: principal.id, signal });
    context.spend(ms);
    return { status, headers, shaped };
  };
  return async (args, context) => {
    const { call, mode, principal } = context;
    const request = guardRequest(args, mode, operations(), call.name);
    const act = actOf(request);
    call.name(request.label, request.write, act);
    context.checkRequest(request.body === undefined ? 0 : Buffer.byteLength(request.body));
    await context.approve?.({ label: request.label, act });
    const answer = await around(request, context, (guarded, reading = {}) => sendAndRead(guarded, context, reading));
    return compose(answer, principal.apiKey);
  };
}

function actOf({ effect, resource, pathParameters }: GuardedRequest) {
  const [id] = Object.values(pathParameters);
  return { effect, ...omitUndefined({ resource, id }) };
}

async function send(client: UpstreamClient, request: GuardedRequest, context: CallContext): Promise<UpstreamAnswer> {
  const { principal, limits, signal, call, answer } = context;
  call.sent();
  try {
    const received = await client.send(request, {
      principal,
      signal,
      limits: { ...ANSWER_LIMITS, maxBytes: limits.maxAnswerBytes },
      timeoutMs: limits.callTimeoutMs,
      onBytes: answer.take,
      turn: context.turn,
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

/** Composes JSON, because the data is JSON already and large data should not be parsed again. */
function compose({ status, headers, shaped }: SentAnswer, apiKey: string): JsonText {
  const shown = maskKey(JSON.stringify(headers), apiKey);
  const ok = status >= 200 && status < 300;
  return jsonOf([`{"status":${status},"ok":${ok},"headers":${shown},"data":`, shaped.json, '}']);
}
