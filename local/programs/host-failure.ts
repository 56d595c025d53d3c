export type FailureCode =
  | 'not_found'
  | 'already_exists'
  | 'invalid_argument'
  | 'permission_denied'
  | 'resource_exhausted'
  | 'interrupted'
  | 'failed';

/** What the host refuses an interpreter. */
export class HostFailure extends Error {
  readonly code: FailureCode;
  constructor(code: FailureCode, message: string) {
    super(message);
    this.code = code;
  }
}
