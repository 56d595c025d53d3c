// Reports each step of a sign-in to operators: a log line and a metric. Neither contains a key, a code, a token, a state,
// a query, or the name that an app gave itself.
import type { ErrorCode } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { ClientKind } from './pinned.ts';

export type Step = 'page' | 'decision' | 'register' | 'token' | 'refresh' | 'revoke';

/** Each field has few values, because they are labels of metrics. */
export type OAuthRecord = {
  readonly step: Step;
  /** `ok`, what the user did instead, or why it failed. */
  readonly outcome: 'ok' | 'denied' | 'again' | 'refused' | ErrorCode;
  readonly client: ClientKind | 'unknown';
};

/** Details for the log only. */
export type OAuthDetails = {
  readonly clientHost?: string | undefined;
  readonly callbackHost?: string | undefined;
  readonly scopesAsked?: readonly string[];
  readonly scopesGranted?: readonly string[];
  /** The fingerprint of the key. */
  readonly key?: string;
  readonly grant?: string;
  readonly reason?: string;
};

export type Report = (record: OAuthRecord, requestId: string, details?: OAuthDetails) => void;

export const createReport =
  (log: Logger, onEvent: ((record: OAuthRecord) => void) | undefined): Report =>
  (record, requestId, details = {}) => {
    log[record.outcome === 'ok' ? 'info' : 'warn']({ req: { id: requestId }, ...record, ...details }, 'sign-in');
    onEvent?.(record);
  };
