// Protects the gateway's own sandboxes, in which agents' code runs: no listing shows them, no call may name one (the
// code could open its own network), and no sandbox of the user may look like one. Pure.

import { RUNNER_METADATA } from '../../e2b/metadata.ts';
import { GatewayError } from '../../errors.ts';
import { hasMetadata } from '../../upstream/answer.ts';
import type { GuardedRequest } from '../../upstream/guard.ts';
import type { SentAnswer } from '../request.ts';

/** Asks the engine, which knows those of this replica. Listings hide the others too, so no guest knows their ids. */
export type IsHidden = (sandboxId: string) => boolean;

/** `sandbox`: an entry of any listing. */
export const isRunner = (sandbox: unknown): boolean => hasMetadata(sandbox, RUNNER_METADATA);

/** The metadata key of entries that must be removed from the response; undefined if the request lists no sandboxes. */
export const hiddenFrom = ({ effect, resource = 'sandbox' }: Pick<GuardedRequest, 'effect' | 'resource'>) =>
  effect === 'lists' && resource === 'sandbox' ? RUNNER_METADATA : undefined;

/** Corrects the total of a listing by the entries that were removed. */
export function withoutHidden({ headers, shaped, ...answer }: SentAnswer): SentAnswer {
  const total = Number(headers['x-total-running']);
  const { shown = 0, hidden = 0 } = shaped.listed ?? {};
  if (hidden === 0 || !Number.isSafeInteger(total)) return { ...answer, headers, shaped };
  return { ...answer, shaped, headers: { ...headers, 'x-total-running': String(Math.max(shown, total - hidden)) } };
}

/** @throws GatewayError `path_refused` */
export function refuseRunner(sandboxId: string, isHidden: IsHidden): void {
  // `<id>-<client>` is the same sandbox to E2B.
  const [id = ''] = sandboxId.toLowerCase().split('-', 1);
  if (isHidden(id))
    throw refusal(`Sandbox ${id} belongs to the gateway: it runs your code. List sandboxes to find yours.`);
}

/** `metadata`: of a sandbox to be created. @throws GatewayError `path_refused` */
export function refuseRunnerMetadata(metadata: unknown): void {
  if (isRunner({ metadata })) throw refusal(`The metadata key "${RUNNER_METADATA}" is the gateway's own. Use another.`);
}

/**
 * Refuses a request that names a runner in path or query, or would create a sandbox that looks like one. `body`: parsed.
 */
export function refuseRunnerRequest(request: GuardedRequest, body: unknown, isHidden: IsHidden): void {
  const named = decoded(`${request.path}?${request.query}`).match(/[a-z0-9]{8,}/gi) ?? [];
  for (const id of named) refuseRunner(id, isHidden);
  if (request.effect === 'creates' && request.resource === 'sandbox')
    refuseRunnerMetadata((body as { metadata?: unknown } | null | undefined)?.metadata);
}

const refusal = (message: string) => new GatewayError('path_refused', message);

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
