// Key -> Principal. The gateway proves nothing itself: E2B does, with every call. This only refuses what cannot be a
// key, so that a wrong header fails here with a hint instead of deep inside a run. Knows no transport but headers.
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Principal } from '../../engine/engine.ts';
import { GatewayError } from '../../errors.ts';

/** E2B issues `e2b_` + 40 hexadecimal digits and checks prefix and hex only (reference: E2B's key verification). */
const KEY = /^e2b_[0-9a-f]{16,128}$/i;

/** What logs and limits know a caller by. Keys carry 160 random bits, so a plain digest gives nothing away. */
export const fingerprint = (apiKey: string): string => createHash('sha256').update(apiKey).digest('hex').slice(0, 12);

function presentedKey(headers: IncomingHttpHeaders): string {
  const { authorization } = headers;
  const apiKey = headers['x-api-key'];
  if (authorization === undefined) {
    if (typeof apiKey === 'string' && apiKey !== '') return apiKey.trim();
    throw new GatewayError('key_missing');
  }
  const [scheme = '', ...rest] = authorization.trim().split(/\s+/);
  if (scheme.toLowerCase() !== 'bearer')
    throw new GatewayError('key_missing', 'Only the Bearer scheme is accepted: "Authorization: Bearer e2b_…".');
  if (rest.length !== 1 || rest[0] === undefined)
    throw new GatewayError('key_malformed', 'The Authorization header must be "Bearer", one space, and the key.');
  return rest[0];
}

/** @throws GatewayError key_missing, key_malformed */
export function authenticate(headers: IncomingHttpHeaders): Principal {
  const apiKey = presentedKey(headers);
  return principalOf(apiKey);
}

/** @throws GatewayError key_malformed */
export function principalOf(apiKey: string): Principal {
  if (apiKey.startsWith('sk_e2b_'))
    throw new GatewayError('key_malformed', 'That is an E2B access token (sk_e2b_…). Send an API key (e2b_…) instead.');
  if (!KEY.test(apiKey)) throw new GatewayError('key_malformed');
  return { id: fingerprint(apiKey), apiKey };
}

export const CHALLENGE =
  'Bearer realm="e2b", error="invalid_token", error_description="Send an E2B API key as bearer token"';
