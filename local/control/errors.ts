// What the control plane answers when it refuses: E2B's statuses and sentences, which callers match on. What belongs to
// another team does not exist.
import type { Cloud, CloudError, Sandbox } from '../cloud.ts';

/** Ends a request with `status` and `{ code, message, error_code? }`. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly errorCode: string | undefined;
  constructor(status: number, message: string, errorCode?: string) {
    super(message);
    this.status = status;
    this.errorCode = errorCode;
  }
}

const sandboxNotFound = (sandboxId: string): ApiError =>
  new ApiError(404, `Sandbox "${sandboxId}" doesn't exist or you don't have access to it`);

/** Old clients add `-<client id>`; it is cut off. @throws ApiError 400 */
export function shortId(sandboxId: string): string {
  const [id = ''] = sandboxId.split('-', 1);
  if (!/^[a-z0-9]+$/.test(id)) throw new ApiError(400, 'Invalid sandbox ID');
  return id;
}

/** @throws ApiError 400, 404 */
export function findSandbox(cloud: Cloud, { teamId }: { readonly teamId: string }, id: string): Sandbox {
  const sandboxId = shortId(id);
  const sandbox = cloud.find(sandboxId);
  if (sandbox?.spec.teamId !== teamId) throw sandboxNotFound(sandboxId);
  return sandbox;
}

/** The registry's refusal, in the API's words. */
export function fromCloud({ code, sandboxId }: CloudError, maxRunning: number): ApiError {
  if (code === 'sandbox_gone') return sandboxNotFound(sandboxId);
  if (code === 'already_paused') {
    return new ApiError(409, `Error pausing sandbox - sandbox '${sandboxId}' is already paused`);
  }
  if (code === 'already_running') return new ApiError(409, `Sandbox ${sandboxId} is already running`);
  if (code === 'closed') return new ApiError(503, 'The local cloud is shutting down', 'sandbox_capacity_unavailable');
  const reached = `you have reached the maximum number of concurrent E2B sandboxes (${maxRunning})`;
  return new ApiError(429, `${reached}. If you need more, please visit 'https://e2b.dev/docs/billing'`);
}
