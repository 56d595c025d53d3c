// What the registry of sandboxes refuses. Each plane has its own words for it.

export type CloudErrorCode = 'sandbox_gone' | 'already_paused' | 'already_running' | 'too_many_running' | 'closed';

export class CloudError extends Error {
  override readonly name = 'CloudError';
  readonly code: CloudErrorCode;
  /** Empty when the sandbox was still to be made. */
  readonly sandboxId: string;
  constructor(code: CloudErrorCode, sandboxId = '') {
    super(code);
    this.code = code;
    this.sandboxId = sandboxId;
  }
}
