// What the control plane answers when it refuses: E2B's statuses and sentences, which callers match on.
import type { CloudError } from '../cloud.ts';

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

export const sandboxNotFound = (sandboxId: string): ApiError =>
  new ApiError(404, `Sandbox "${sandboxId}" doesn't exist or you don't have access to it`);

export const templateNotFound = (reference: string): ApiError => new ApiError(404, `template '${reference}' not found`);

export const templateForbidden = (reference: string): ApiError =>
  new ApiError(403, `You don't have access to sandbox template '${reference}'`);

const tooManyRunning = (limit: number): ApiError =>
  new ApiError(
    429,
    `you have reached the maximum number of concurrent E2B sandboxes (${limit}). ` +
      "If you need more, please visit 'https://e2b.dev/docs/billing'",
  );

/** The registry's refusal, in the API's words. */
export function fromCloud(caught: CloudError, maxRunning: number): ApiError {
  const { sandboxId } = caught;
  switch (caught.code) {
    case 'sandbox_gone':
      return sandboxNotFound(sandboxId);
    case 'already_paused':
      return new ApiError(409, `Error pausing sandbox - sandbox '${sandboxId}' is already paused`);
    case 'already_running':
      return new ApiError(409, `Sandbox ${sandboxId} is already running`);
    case 'too_many_running':
      return tooManyRunning(maxRunning);
    case 'closed':
      return new ApiError(503, 'The local cloud is shutting down', 'sandbox_capacity_unavailable');
  }
}
