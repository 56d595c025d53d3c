// What a sandbox refuses, whoever asks: its daemon, a program inside it, the content API of a volume.

/** By Connect's names, where it has one. */
export type FailureCode =
  | 'not_found'
  | 'already_exists'
  | 'invalid_argument'
  | 'permission_denied'
  | 'resource_exhausted'
  | 'deadline_exceeded'
  | 'unimplemented'
  | 'unauthenticated'
  | 'unavailable'
  | 'internal'
  | 'interrupted';

/** The message names the sandbox's paths, never a path of the host. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: FailureCode;
  constructor(code: FailureCode, message: string) {
    super(message);
    this.code = code;
  }
}
