// Request headers -> Principal, for callers who send the API key itself. What a key looks like is handed in.
import type { IncomingHttpHeaders } from 'node:http';
import type { Api } from '../../api.ts';
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

export const createKeyAuthenticator = ({ title, key }: Pick<Api, 'title' | 'key'>): Authenticator => ({
  authenticate: headers => {
    return principalFromKey(key.parse(bearerOf(headers, { title, key })));
  },
  challenge: () => key.challenge,
});

/** The credential as sent: a bearer token, or `X-API-Key`. @throws GatewayError key_missing, key_malformed */
export function bearerOf(headers: IncomingHttpHeaders, { title, key }: Pick<Api, 'title' | 'key'>): string {
  const { authorization } = headers;
  const apiKey = headers['x-api-key'];
  if (authorization === undefined) {
    if (typeof apiKey === 'string' && apiKey !== '') return apiKey.trim();
    throw new GatewayError('key_missing', `Send your ${title} API key as "Authorization: Bearer ${key.example}".`);
  }
  const [scheme = '', ...rest] = authorization.trim().split(/\s+/);
  if (scheme.toLowerCase() !== 'bearer')
    throw new GatewayError(
      'key_missing',
      `Only the Bearer scheme is accepted: "Authorization: Bearer ${key.example}".`,
    );
  if (rest.length !== 1 || rest[0] === undefined)
    throw new GatewayError('key_malformed', 'The Authorization header must be "Bearer", one space, and the key.');
  return rest[0];
}
