// Request headers -> Principal, for callers who send the API key itself. What a key looks like is handed in.
import type { IncomingHttpHeaders } from 'node:http';
import { GatewayError } from '../../errors.ts';
import { type Principal, principalFromKey } from '../../principal.ts';

export type Authenticator = {
  /** @throws GatewayError key_missing, key_malformed */
  authenticate(headers: IncomingHttpHeaders): Principal | Promise<Principal>;
  /** `WWW-Authenticate` of a 401 answer. */
  challenge(error: GatewayError): string;
  /** Where a client reads how to get a token; undefined: keys only. */
  readonly resourceMetadataUrl?: string;
};

type KeyForm = {
  /** The key in its canonical spelling. @throws GatewayError key_malformed */
  readonly parseKey: (text: string) => string;
  readonly challenge: string;
};

export const createKeyAuthenticator = ({ parseKey, challenge }: KeyForm): Authenticator => ({
  authenticate: headers => principalFromKey(parseKey(bearerOf(headers))),
  challenge: () => challenge,
});

/** The credential as sent: a bearer token, or `X-API-Key`. @throws GatewayError key_missing, key_malformed */
export function bearerOf(headers: IncomingHttpHeaders): string {
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
