// What one run asked of the outside, call by call. Types only.

/** `status`: the HTTP status, or `done`/`failed` for calls that are not one HTTP request, `refused` before sending, `unknown` for a write that was sent and not answered. */
export type LedgerEntry = {
  /** `GET /v2/sandboxes`, `Sandbox.commands.run`. */
  readonly label: string;
  readonly write: boolean;
  readonly status: number | 'done' | 'failed' | 'refused' | 'unknown';
  readonly code?: string;
  readonly ms: number;
};
