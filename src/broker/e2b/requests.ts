// What holds for `api.request` beyond the guard because it is E2B's API: the gateway's own sandboxes are neither shown
// nor touched, what a run makes is marked and counted, and the quota of a key is kept. All of it goes by the effect that
// the description states for the operation.

import { GatewayError } from '../../errors.ts';
import { isRecord, tryParseJson } from '../../ground/json.ts';
import { omitUndefined } from '../../ground/omit-undefined.ts';
import { type GuardedRequest, withBody } from '../../upstream/guard.ts';
import type { CallContext } from '../broker.ts';
import type { AroundSend, SentAnswer } from '../request.ts';
import { MIN_LIFE_MS } from './arguments.ts';
import { REQUEST_TAG, tag, withinQuota, wouldStart } from './quota.ts';
import { hiddenFrom, refuseRunnerRequest, withoutHidden } from './runners.ts';
import type { Session } from './session.ts';

export const sandboxRules =
  (session: Session): AroundSend =>
  async (request, context, send) => {
    refuseRunnerRequest(request, session.options.isHidden);
    if (endsSoon(request)) {
      const id = request.pathParameters.sandboxID;
      const act = { effect: 'ends', resource: 'sandbox', ...omitUndefined({ id }) } as const;
      await context.approve?.({ label: request.label, act, detail: 'a life of a few seconds' });
    }
    const reading = {
      hiddenMetadataKey: hiddenFrom(request),
      ownMetadataKey: REQUEST_TAG,
      findMade: createsSandboxes(request),
    };
    const answer = await underQuota(session, request, context, guarded => send(guarded, reading));
    context.call.made(answer.shaped.made);
    return withoutHidden(answer);
  };

/** So short a life ends the sandbox: it needs the same approval. */
function endsSoon(request: GuardedRequest): boolean {
  if (request.effect !== 'changes' || request.resource !== 'sandbox' || !takesField(request, 'timeout')) return false;
  const { timeout } = fieldsOf(request) ?? {};
  return typeof timeout !== 'number' || timeout * 1_000 < MIN_LIFE_MS;
}

const createsSandboxes = ({ effect, resource }: GuardedRequest) => effect === 'creates' && resource === 'sandbox';

async function underQuota(
  session: Session,
  request: GuardedRequest,
  context: CallContext,
  send: (request: GuardedRequest) => Promise<SentAnswer>,
): Promise<SentAnswer> {
  const asking = { session, context };
  if (createsSandboxes(request)) {
    refuseUnreadable(request);
    const tagged = takesField(request, 'metadata') ? withTag(request, session.options.requestId) : request;
    return withinQuota(asking, takesField(request, 'count') ? countOf(request) : 1, () => send(tagged));
  }
  const { sandboxID } = request.pathParameters;
  const starts = request.effect === 'starts' && request.resource === 'sandbox' && sandboxID !== undefined;
  if (!starts || !(await wouldStart(sandboxID, asking))) return send(request);
  return withinQuota(asking, 1, () => send(request));
}

/** What cannot be read here cannot be counted or marked, and the API may read it all the same. */
function refuseUnreadable(request: GuardedRequest): void {
  if (request.body === undefined || (isJson(request.contentType ?? '') && fieldsOf(request) !== undefined)) return;
  throw new GatewayError(
    'request_invalid',
    `${request.label}: the body must be a JSON object, sent as application/json. Give it as \`body\`.`,
  );
}

/** Whether the described body has the field. Without a description any may be there. */
function takesField({ operation }: GuardedRequest, field: string): boolean {
  if (operation === undefined) return true;
  const { properties = {} } = (operation.body?.schema ?? {}) as { properties?: object };
  return Object.hasOwn(properties, field);
}

/** Where the body is a JSON object; anything else goes out as it was written. */
function withTag(request: GuardedRequest, requestId: string): GuardedRequest {
  const fields = fieldsOf(request);
  const metadata = fields?.metadata ?? {};
  if (fields === undefined || !isRecord(metadata)) return request;
  return withBody(request, JSON.stringify({ ...fields, metadata: { ...metadata, ...tag(requestId) } }));
}

/** In any letter case, as the API reads names. */
function countOf(request: GuardedRequest): number {
  const counts = Object.entries(fieldsOf(request) ?? {})
    .filter(([name]) => name.toLowerCase() === 'count')
    .map(([, count]) => count)
    .filter(count => typeof count === 'number');
  return Math.max(1, ...counts.map(Math.floor));
}

function fieldsOf({ body }: GuardedRequest): Record<string, unknown> | undefined {
  const value = tryParseJson(body ?? '');
  return isRecord(value) ? value : undefined;
}

const isJson = (contentType: string) => /^application\/(?:[\w.+-]+\+)?json\b/i.test(contentType);
