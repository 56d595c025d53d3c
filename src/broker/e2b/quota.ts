// How many sandboxes one key may have running, and the mark on those a run makes. Counted on E2B's own list each time,
// with the creations this process has under way; another replica's of the same moment may slip through.

import { apiOf } from '../../e2b/api-client.ts';
import type { SdkOptions } from '../../e2b/connection.ts';
import { GatewayError } from '../../errors.ts';
import { isRunner } from './runners.ts';
import type { SandboxCall } from './sandbox-call.ts';

/** Metadata of every sandbox a run creates: the id of the request, as in the gateway's log. */
export const REQUEST_TAG = 'e2b-code-mode-request';

export const tag = (requestId: string) => ({ [REQUEST_TAG]: requestId.slice(0, 100) });

type Asking = Pick<SandboxCall, 'session' | 'context'>;

/**
 * Makes room for `wanted` more while `create` runs. Who came first counts first: the later one counts the earlier.
 * @throws GatewayError `sandbox_limit`
 */
export async function withinQuota<T>(
  { session, context }: Asking,
  wanted: number,
  create: () => Promise<T>,
): Promise<T> {
  const { maxSandboxesPerKey: max, underWay } = session.options;
  if (max === 0) return create();
  const { id } = context.principal;
  const earlier = underWay.get(id) ?? 0;
  underWay.set(id, earlier + wanted);
  try {
    const running = await session.api(context, countRunning);
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
export async function wouldStart(sandboxId: string, { session, context }: Asking): Promise<boolean> {
  if (session.options.maxSandboxesPerKey === 0) return false;
  try {
    await session.readAccess(sandboxId, context);
    return false;
  } catch (caught) {
    if (!(caught instanceof GatewayError) || caught.code !== 'sandbox_not_running') return false;
    session.forget(sandboxId);
    return true;
  }
}
