// How many sandboxes one key may have running, and the mark on those a run makes. Counted on E2B's own list each time,
// with the creations this process has under way; another replica's of the same moment may slip through.

import { apiOf, type SdkOptions } from '../../e2b/connection.ts';
import { GatewayError } from '../../errors.ts';
import { labelOf } from '../../upstream/guard.ts';
import { isRunner } from '../../upstream/runners.ts';
import type { Capability } from '../broker.ts';
import type { SandboxCall } from './capability.ts';
import { readAccess, type Session } from './session.ts';

/** Metadata of every sandbox a run creates: the id of the request, as in the gateway's log. */
export const REQUEST_TAG = 'e2b-code-mode-request';

export const tag = (requestId: string) => ({ [REQUEST_TAG]: requestId.slice(0, 100) });

type Asking = Pick<SandboxCall, 'session' | 'context' | 'sdk'>;

/**
 * Makes room for `wanted` more while `create` runs. Who came first counts first: the later one counts the earlier.
 * @throws GatewayError `sandbox_limit`
 */
export async function withinQuota<T>(
  { session, context, sdk }: Asking,
  wanted: number,
  create: () => Promise<T>,
): Promise<T> {
  const { maxSandboxesPerKey: max, underWay } = session.options;
  if (max === 0) return create();
  const { id } = context.principal;
  const earlier = underWay.get(id) ?? 0;
  underWay.set(id, earlier + wanted);
  try {
    const running = await countRunning(sdk);
    if (running + earlier + wanted > max) throw overLimit(max, running, earlier);
    return await create();
  } finally {
    const left = (underWay.get(id) ?? 0) - wanted;
    if (left > 0) underWay.set(id, left);
    else underWay.delete(id);
  }
}

function overLimit(max: number, running: number, underWay: number): GatewayError {
  const making = underWay === 0 ? '' : `, and ${underWay} more asked for`;
  return new GatewayError(
    'sandbox_limit',
    `This gateway lets a key have ${max} sandboxes running, and ${running} are${making}. Kill what is no longer needed (Sandbox.list, Sandbox.kill), then try again.`,
  );
}

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

/**
 * Whether connecting would start it; false when it runs already, or cannot be found. Only reads, and asks E2B anew: what
 * the run knows of it may be from before it was paused.
 */
export async function wouldStart(sandboxId: string, { session, sdk }: Omit<Asking, 'context'>): Promise<boolean> {
  if (session.options.maxSandboxesPerKey === 0) return false;
  try {
    await readAccess(sandboxId, sdk);
    return false;
  } catch (caught) {
    if (!(caught instanceof GatewayError) || caught.code !== 'sandbox_not_running') return false;
    session.forget(sandboxId);
    return true;
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
    const asking = { session, context, sdk: session.sdk(context) };
    if (CREATE.test(label)) {
      return withinQuota(asking, 1, () => request(withTag(args, session.options.requestId), context));
    }
    if (FORK.test(label)) return withinQuota(asking, countOf(args), () => request(args, context));
    const started = START.exec(label)?.[1];
    if (started === undefined || !(await wouldStart(started, asking))) return request(args, context);
    return withinQuota(asking, 1, () => request(args, context));
  };
}

type Fields = { readonly body?: unknown; readonly rawBody?: unknown };

/** Where the body is a JSON object, or the text of one; anything else goes out as it was written. */
function withTag(args: unknown, requestId: string): unknown {
  const { body, rawBody } = args as Fields;
  const [name, given] = isGiven(body) ? ['body', body] : ['rawBody', rawBody];
  const fields = objectOf(given);
  const metadata = fields?.metadata ?? {};
  if (fields === undefined || !isRecord(metadata)) return args;
  const tagged = { ...fields, metadata: { ...metadata, ...tag(requestId) } };
  return { ...(args as object), [name]: typeof given === 'string' ? JSON.stringify(tagged) : tagged };
}

/** In any letter case, as the API reads names. */
function countOf(args: unknown): number {
  const { body, rawBody } = args as Fields;
  const fields = Object.entries(objectOf(isGiven(body) ? body : rawBody) ?? {});
  const counts = fields.filter(([name]) => name.toLowerCase() === 'count').map(([, count]) => count);
  return Math.max(1, ...counts.filter(count => typeof count === 'number').map(Math.floor));
}

const isGiven = (body: unknown) => body !== undefined && body !== null;

function objectOf(body: unknown): Record<string, unknown> | undefined {
  try {
    const value: unknown = typeof body === 'string' ? JSON.parse(body) : body;
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
