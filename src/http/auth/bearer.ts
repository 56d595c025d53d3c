// Authenticates callers that send the API key itself: request headers -> Principal. The form of a key is a parameter.
import type { IncomingHttpHeaders } from 'node:http';
import type { Api } from '../../api.ts';
import { GatewayError } from '../../errors.ts';
import { type Principal, principalFromKey } from '../../principal.ts';

export type Authenticator = {
  /** @throws GatewayError key_missing, key_malformed */
  authenticate(headers: IncomingHttpHeaders): Principal | Promise<Principal>;
  /** The `WWW-Authenticate` header of a 401 response. */
  challenge(error: GatewayError): string;
  /** Where a client can read how to get a token; undefined: only keys are accepted. */
  readonly resourceMetadataUrl?: string;
};

export const createKeyAuthenticator = ({ title, key }: Pick<Api, 'title' | 'key'>): Authenticator => ({
  authenticate: headers => {
    return principalFromKey(key.parse(bearerOf(headers, { title, key })));
  },
  challenge: () => key.challenge,
});

/** The credential in the headers: a bearer token, or `X-API-Key`. @throws GatewayError key_missing, key_malformed */
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
