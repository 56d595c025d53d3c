// What operators see of a sign-in: one log line and one count for each step. Neither holds a key, a code, a token, a state,
// a query, or the name an app gave itself.
import type { ErrorCode } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { ClientKind } from './pinned.ts';

export type Step = 'page' | 'decision' | 'register' | 'token' | 'refresh' | 'revoke';

/** Few values each: they are labels. */
export type OAuthRecord = {
  readonly step: Step;
  /** `ok`, what the person did instead, or why it failed. */
  readonly outcome: 'ok' | 'denied' | 'again' | 'refused' | ErrorCode;
  readonly client: ClientKind | 'unknown';
};

/** For the log only. */
export type OAuthDetails = {
  readonly clientHost?: string | undefined;
  readonly callbackHost?: string | undefined;
  readonly scopesAsked?: readonly string[];
  readonly scopesGranted?: readonly string[];
  /** Fingerprint. */
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
