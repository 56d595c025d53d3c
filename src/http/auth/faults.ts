// Error responses of the OAuth routes: OAuth's JSON for programs, a page for people. The messages are the registry's.
import type { Response } from 'express';
import type { ErrorCode, GatewayError } from '../../errors.ts';
import { faultPage, PAGE_HEADERS } from './page.ts';

/** OAuth's names for error codes. All other codes become `invalid_request`. */
const NAMES: Partial<Record<ErrorCode, string>> = {
  oauth_client_unknown: 'invalid_client',
  oauth_client_invalid: 'invalid_client',
  oauth_grant_invalid: 'invalid_grant',
  oauth_target_invalid: 'invalid_target',
  oauth_grant_type_unsupported: 'unsupported_grant_type',
  oauth_redirect_invalid: 'invalid_redirect_uri',
  oauth_metadata_invalid: 'invalid_client_metadata',
  oauth_revocation_unsupported: 'unsupported_token_type',
  oauth_unavailable: 'temporarily_unavailable',
  rate_limited: 'temporarily_unavailable',
  draining: 'temporarily_unavailable',
  internal: 'server_error',
};

/** Messages that replace those of the registry, which are written for tool calls and would be misleading here. */
const MESSAGES: Partial<Record<ErrorCode, string>> = {
  body_too_large: 'The body is too large.',
  body_invalid: 'The body cannot be read.',
  media_type_unsupported: 'Send the body in UTF-8, uncompressed.',
  not_found: 'The address cannot be read.',
};

/** OAuth has status 400 for every invalid request, also for a body of the wrong type. */
const statusOf = ({ code, status }: GatewayError): number => (code === 'media_type_unsupported' ? 400 : status);
const messageOf = (error: GatewayError): string => MESSAGES[error.code] ?? error.message;

export function writeOAuthFault(error: GatewayError, response: Response): void {
  if (error.code === 'oauth_client_invalid' && response.req.headers.authorization !== undefined)
    response.set('WWW-Authenticate', 'Basic realm="oauth"');
  response
    .status(statusOf(error))
    .set('Cache-Control', 'no-store')
    .json({ error: NAMES[error.code] ?? 'invalid_request', error_description: messageOf(error) });
}

export function writePageFault(error: GatewayError, response: Response, requestId: string): void {
  response
    .status(statusOf(error))
    .set(PAGE_HEADERS)
    .send(faultPage(messageOf(error), requestId));
}
