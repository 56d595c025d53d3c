// The gateway's own sandboxes, in which agents' code runs: not the user's. No listing shows them, no call may name one
// (it could open its own network), and no sandbox of the user's may pass for one. Pure.

import { RUNNER_METADATA } from '../../e2b/metadata.ts';
import { GatewayError } from '../../errors.ts';
import { tryParseJson } from '../../ground/json.ts';
import { hasMetadata } from '../../upstream/answer.ts';
import type { GuardedRequest } from '../../upstream/guard.ts';
import type { SentAnswer } from '../request.ts';

/** Asks the engine, which knows those of this replica. Ids of others are in no listing, so no guest has them. */
export type IsHidden = (sandboxId: string) => boolean;

/** A sandbox as any listing shows it. */
export const isRunner = (sandbox: unknown): boolean => hasMetadata(sandbox, RUNNER_METADATA);

/** The metadata key of what an answer to this request must not show; undefined where it lists no sandboxes. */
export const hiddenFrom = ({ effect, resource = 'sandbox' }: Pick<GuardedRequest, 'effect' | 'resource'>) =>
  effect === 'lists' && resource === 'sandbox' ? RUNNER_METADATA : undefined;

/** The total of a listing as it is without what was left out. */
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

/** Metadata of a sandbox to be made. @throws GatewayError `path_refused` */
export function refuseRunnerMetadata(metadata: unknown): void {
  if (isRunner({ metadata })) throw refusal(`The metadata key "${RUNNER_METADATA}" is the gateway's own. Use another.`);
}

/** A request that names a runner anywhere in path or query, or would make something that looks like one. */
export function refuseRunnerRequest(request: GuardedRequest, isHidden: IsHidden): void {
  const named = decoded(`${request.path}?${request.query}`).match(/[a-z0-9]{8,}/gi) ?? [];
  for (const id of named) refuseRunner(id, isHidden);
  if (request.effect === 'creates' && request.resource === 'sandbox' && request.body !== undefined)
    refuseRunnerMetadata((tryParseJson(request.body) as { metadata?: unknown } | null | undefined)?.metadata);
}

const refusal = (message: string) => new GatewayError('path_refused', message);

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
