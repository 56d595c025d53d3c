// Rules for `api.request` that are specific to E2B, in addition to the guard: the gateway's own sandboxes are hidden
// and protected, sandboxes that a run creates are marked and counted, and the quota of a key is enforced. The rules
// depend on the effect that the description states for an operation.

import { GatewayError } from '../../errors.ts';
import { isRecord, tryParseJson } from '../../ground/json.ts';
import { omitUndefined } from '../../ground/omit-undefined.ts';
import { type GuardedRequest, withBody } from '../../upstream/guard.ts';
import type { CallContext } from '../capabilities.ts';
import type { AroundSend, SentAnswer } from '../request.ts';
import { MIN_LIFE_MS } from './arguments.ts';
import { REQUEST_TAG, tag, withinQuota, wouldStart } from './quota.ts';
import { hiddenFrom, refuseRunnerRequest, withoutHidden } from './runners.ts';
import type { Session } from './session.ts';

type Fields = Readonly<Record<string, unknown>> | undefined;

export const sandboxRules =
  (session: Session): AroundSend =>
  async (request, context, send) => {
    const { soon, creation } = readRules(request, session);
    if (soon) {
      const id = request.pathParameters.sandboxID;
      const act = { effect: 'ends', resource: 'sandbox', ...omitUndefined({ id }) } as const;
      await context.approve?.({ label: request.label, act, detail: 'a life of a few seconds' });
    }
    const reading = {
      hiddenMetadataKey: hiddenFrom(request),
      ownMetadataKey: REQUEST_TAG,
      findMade: creation !== undefined,
    };
    const asking = { session, context };
    const answer = await underQuota(asking, request, creation, guarded => send(guarded, reading));
    context.call.made(answer.shaped.made);
    return withoutHidden(answer);
  };

/** A request that creates sandboxes, with the request's mark. */
type Creation = { readonly tagged: GuardedRequest; readonly count: number };

/** Parses the body once, and keeps only what follows from it. `soon`: see endsSoon. @throws GatewayError */
function readRules(request: GuardedRequest, { options }: Session): { soon: boolean; creation?: Creation } {
  const fields = request.resource === 'sandbox' ? fieldsOf(request) : undefined;
  refuseRunnerRequest(request, fields, options.isHidden);
  if (!createsSandboxes(request)) return { soon: endsSoon(request, fields) };
  refuseUnreadable(request, fields);
  const tagged = takesField(request, 'metadata') ? withTag(request, fields, options.requestId) : request;
  return { soon: false, creation: { tagged, count: takesField(request, 'count') ? countOf(fields) : 1 } };
}

/** Setting a very short timeout ends the sandbox, so it needs the same approval. */
function endsSoon(request: GuardedRequest, fields: Fields): boolean {
  if (request.effect !== 'changes' || request.resource !== 'sandbox' || !takesField(request, 'timeout')) return false;
  const { timeout } = fields ?? {};
  return typeof timeout !== 'number' || timeout * 1_000 < MIN_LIFE_MS;
}

const createsSandboxes = ({ effect, resource }: GuardedRequest) => effect === 'creates' && resource === 'sandbox';

async function underQuota(
  asking: { readonly session: Session; readonly context: CallContext },
  request: GuardedRequest,
  creation: Creation | undefined,
  send: (request: GuardedRequest) => Promise<SentAnswer>,
): Promise<SentAnswer> {
  if (creation !== undefined) return withinQuota(asking, creation.count, () => send(creation.tagged));
  const { sandboxID } = request.pathParameters;
  const starts = request.effect === 'starts' && request.resource === 'sandbox' && sandboxID !== undefined;
  if (!starts || !(await wouldStart(sandboxID, asking))) return send(request);
  return withinQuota(asking, 1, () => send(request));
}

/** A body that cannot be read here cannot be counted or marked, but the API might accept it. */
function refuseUnreadable(request: GuardedRequest, fields: Fields): void {
  if (request.body === undefined || (isJson(request.contentType ?? '') && fields !== undefined)) return;
  throw new GatewayError(
    'request_invalid',
    `${request.label}: the body must be a JSON object, sent as application/json. Give it as \`body\`.`,
  );
}

/** Whether the body can have the field: by the description, or always if the operation has none. */
function takesField({ operation }: GuardedRequest, field: string): boolean {
  if (operation === undefined) return true;
  const { properties = {} } = (operation.body?.schema ?? {}) as { properties?: object };
  return Object.hasOwn(properties, field);
}

/** Adds the request's mark if the body is a JSON object; any other body is sent unchanged. */
function withTag(request: GuardedRequest, fields: Fields, requestId: string): GuardedRequest {
  const metadata = fields?.metadata ?? {};
  if (fields === undefined || !isRecord(metadata)) return request;
  return withBody(request, JSON.stringify({ ...fields, metadata: { ...metadata, ...tag(requestId) } }));
}

/** Accepts `count` in any letter case, as the API does. */
function countOf(fields: Fields): number {
  const counts = Object.entries(fields ?? {})
    .filter(([name]) => name.toLowerCase() === 'count')
    .map(([, count]) => count)
    .filter(count => typeof count === 'number');
  return Math.max(1, ...counts.map(Math.floor));
}

function fieldsOf({ body }: GuardedRequest): Fields {
  const value = tryParseJson(body ?? '');
  return isRecord(value) ? value : undefined;
}

const isJson = (contentType: string) => /^application\/(?:[\w.+-]+\+)?json\b/i.test(contentType);
