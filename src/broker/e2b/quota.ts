// Limits the sandboxes that one key may have running, and marks those that a run creates. Counts E2B's list each time
// and the creations in progress in this process; creations in other replicas at the same moment are not counted.

import { apiOf } from '../../e2b/api-client.ts';
import type { SdkOptions } from '../../e2b/connection.ts';
import { GatewayError } from '../../errors.ts';
import { isRunner } from './runners.ts';
import type { SandboxCall } from './sandbox-call.ts';

/** Metadata key on every sandbox that a run creates. Its value is the request id, as in the gateway's log. */
export const REQUEST_TAG = 'e2b-code-mode-request';

export const tag = (requestId: string) => ({ [REQUEST_TAG]: requestId.slice(0, 100) });

type Asking = Pick<SandboxCall, 'session' | 'context'>;

/**
 * Runs `create` if `wanted` more sandboxes are allowed. Of concurrent creations, a later one counts the earlier ones.
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
 * Whether connecting would start the sandbox; false if it is running or cannot be found. Only reads. Asks E2B each
 * time, because the access that the run has may be from before a pause.
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
