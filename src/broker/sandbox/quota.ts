// How many sandboxes one key may have running, and the mark on those a run makes. Counted on E2B's own list each time:
// no state here, so another replica's creation of the same moment may slip through.
import { GatewayError } from '../../errors.ts';
import { labelOf } from '../../upstream/guard.ts';
import { isRunner } from '../../upstream/runners.ts';
import type { CallContext, Capability } from '../broker.ts';
import { apiOf, type SdkOptions } from './connection.ts';
import type { Session } from './session.ts';

/** Metadata of every sandbox a run creates: the id of the request, as in the gateway's log. */
export const REQUEST_TAG = 'e2b-code-mode-request';

export const tag = (requestId: string) => ({ [REQUEST_TAG]: requestId.slice(0, 100) });

/** Creations under way in this run: E2B's list does not show them yet. */
const underWay = new WeakMap<Session, { count: number }>();

/**
 * Makes room for `wanted` more while `create` runs.
 * @throws GatewayError `sandbox_limit`
 */
export async function withinQuota<T>(
  session: Session,
  sdk: SdkOptions,
  wanted: number,
  create: () => Promise<T>,
): Promise<T> {
  const max = session.options.maxSandboxesPerKey;
  if (max === 0) return create();
  const mine = underWay.get(session) ?? { count: 0 };
  underWay.set(session, mine);
  mine.count += wanted;
  try {
    const running = await countRunning(sdk);
    if (running + mine.count > max) throw overLimit(running, max);
    return await create();
  } finally {
    mine.count -= wanted;
  }
}

const overLimit = (running: number, max: number) =>
  new GatewayError(
    'sandbox_limit',
    `This gateway lets a key have ${max} sandboxes running, and ${running} are. Kill what is no longer needed (Sandbox.list, Sandbox.kill), then try again.`,
  );

async function countRunning(sdk: SdkOptions): Promise<number> {
  const { data, response } = await apiOf(sdk).GET('/v2/sandboxes', {
    params: { query: { state: ['running'], limit: 100 } },
    signal: AbortSignal.any([sdk.signal, AbortSignal.timeout(sdk.requestTimeoutMs)]),
  });
  if (data === undefined) {
    throw new GatewayError(
      'sandbox_failed',
      `SandboxError: ${response.status}: the list of sandboxes, needed before creating one, was refused.`,
    );
  }
  const total = Number(response.headers.get('x-total-running') ?? Number.NaN);
  const runners = data.filter(isRunner).length;
  return (Number.isNaN(total) ? data.length : total) - runners;
}

/** Whether connecting would start it; false when it runs already, or cannot be found. Only reads. */
export async function wouldStart(sandboxId: string, session: Session, context: CallContext): Promise<boolean> {
  if (session.options.maxSandboxesPerKey === 0) return false;
  try {
    await session.attach(sandboxId, context);
    return false;
  } catch (caught) {
    return caught instanceof GatewayError && caught.code === 'sandbox_not_running';
  }
}

// --- api.request ---------------------------------------------------------------------------------------------------

/** As the guard resolves paths, so that no spelling gets past. */
const CREATE = /^POST \/(?:v\d+\/)?sandboxes$/;
const FORK = /^POST \/(?:v\d+\/)?sandboxes\/[^/]+\/fork$/;
const START = /^POST \/(?:v\d+\/)?sandboxes\/([^/]+)\/(?:resume|connect)$/;

/** `api.request` under the same two rules. */
export function underQuota(request: Capability): (session: Session) => Capability {
  return session => async (args, context) => {
    const label = context.mode === 'write' ? labelOf(args)?.label : undefined;
    if (label === undefined) return request(args, context);
    const sdk = session.sdk(context);
    if (CREATE.test(label)) {
      return withinQuota(session, sdk, 1, () => request(withTag(args, session.options.requestId), context));
    }
    if (FORK.test(label)) return withinQuota(session, sdk, countOf(args), () => request(args, context));
    const started = START.exec(label)?.[1];
    if (started === undefined || !(await wouldStart(started, session, context))) return request(args, context);
    return withinQuota(session, sdk, 1, () => request(args, context));
  };
}

type Fields = { readonly body?: unknown; readonly rawBody?: unknown };

/** Where the body is an object; a rawBody goes out as it was written. */
function withTag(args: unknown, requestId: string): unknown {
  const { body } = args as Fields;
  if (!isRecord(body)) return args;
  const { metadata } = body;
  if (metadata !== undefined && !isRecord(metadata)) return args;
  return { ...(args as object), body: { ...body, metadata: { ...metadata, ...tag(requestId) } } };
}

function countOf(args: unknown): number {
  const { body, rawBody } = args as Fields;
  const { count } = (isRecord(body) ? body : parsed(rawBody)) as { count?: unknown };
  return typeof count === 'number' && count > 1 ? Math.floor(count) : 1;
}

function parsed(text: unknown): object {
  try {
    const value: unknown = typeof text === 'string' ? JSON.parse(text) : undefined;
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
