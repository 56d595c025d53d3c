// Limits the sandboxes that one key may have running, and marks those that a run creates. Counts E2B's list each time
// and waits for the creations in progress in this process; creations in other replicas at the same moment are not counted.

import { apiOf } from '../../e2b/api-client.ts';
import type { SdkOptions } from '../../e2b/connection.ts';
import { GatewayError } from '../../errors.ts';
import { isRunner } from './runners.ts';
import type { SandboxCall } from './sandbox-call.ts';
import type { Creation } from './session.ts';

/** Metadata key on every sandbox that a run creates. Its value is the request id, as in the gateway's log. */
export const REQUEST_TAG = 'e2b-code-mode-request';

export const tag = (requestId: string) => ({ [REQUEST_TAG]: requestId.slice(0, 100) });

type Asking = Pick<SandboxCall, 'session' | 'context'>;

/**
 * Runs `create` if `wanted` more sandboxes are allowed. Of concurrent creations, a later one leaves room for the earlier ones.
 * @throws GatewayError `sandbox_limit`
 */
export async function withinQuota<T>(asking: Asking, wanted: number, create: () => Promise<T>): Promise<T> {
  const { maxSandboxesPerKey, underWay } = asking.session.options;
  if (maxSandboxesPerKey === 0) return create();
  const { id } = asking.context.principal;
  const creations = underWay.get(id) ?? new Set<Creation>();
  underWay.set(id, creations);
  let end = (): void => undefined;
  const mine: Creation = { wanted, ended: new Promise(resolve => (end = resolve)) };
  const earlier = [...creations];
  creations.add(mine);
  try {
    await waitForRoom(asking, wanted, () => earlier.filter(each => creations.has(each)));
    return await create();
  } finally {
    creations.delete(mine);
    end();
    if (creations.size === 0) underWay.delete(id);
  }
}

/**
 * E2B's list may show what an earlier creation has made before that has ended, and an earlier creation may fail. So when only
 * both together are too many, this waits for the earlier ones, one after the other, and counts again.
 */
async function waitForRoom(
  { session, context }: Asking,
  wanted: number,
  earlier: () => readonly Creation[],
): Promise<void> {
  const { maxSandboxesPerKey: max } = session.options;
  for (;;) {
    const open = earlier(); // before the list is read, which shows those that have ended
    const running = await session.api(context, countRunning);
    if (running + wanted > max) throw overLimit(max, running, wanted);
    if (running + wanted + open.reduce((sum, each) => sum + each.wanted, 0) <= max) return;
    await open[0]?.ended;
  }
}

function overLimit(max: number, running: number, wanted: number): GatewayError {
  const asked = wanted === 1 ? '' : `, and ${wanted} more were asked for`;
  return new GatewayError(
    'sandbox_limit',
    `This gateway lets a key have ${max} sandboxes running, and ${running} are${asked}. Kill what is no longer needed (Sandbox.list, Sandbox.kill), then try again.`,
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
