// Metadata for clients: where to sign in for this server (RFC 9728), and how (RFC 8414). All URLs are made from the issuer
// and never from a request, because a Host header is untrusted. Pure.

import type { Api } from '../../api.ts';
import type { ErrorCode } from '../../errors.ts';
import { CLIENT_AUTHS } from './registration.ts';
import { resourceOf } from './resource.ts';
import { OFFLINE_ACCESS, SCOPES, type ScopeNames } from './scopes.ts';

export const PROTECTED_RESOURCE_PATH = '/.well-known/oauth-protected-resource';
export const AUTHORIZATION_SERVER_PATH = '/.well-known/oauth-authorization-server';

export const protectedResource = (
  issuer: string,
  { title, signIn }: Pick<Api, 'title' | 'signIn'>,
  names: ScopeNames,
) => ({
  resource: resourceOf(issuer),
  authorization_servers: [issuer],
  scopes_supported: names.of(SCOPES),
  bearer_methods_supported: ['header'],
  resource_name: `${title} code mode`,
  resource_documentation: signIn.documentationUrl,
});

export const authorizationServer = (
  issuer: string,
  { revocation, documents }: { readonly revocation: boolean; readonly documents: boolean },
  names: ScopeNames,
) => ({
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  registration_endpoint: `${issuer}/register`,
  ...(revocation && { revocation_endpoint: `${issuer}/revoke` }),
  response_types_supported: ['code'],
  response_modes_supported: ['query'],
  grant_types_supported: ['authorization_code', 'refresh_token'],
  code_challenge_methods_supported: ['S256'],
  token_endpoint_auth_methods_supported: CLIENT_AUTHS,
  ...(revocation && { revocation_endpoint_auth_methods_supported: CLIENT_AUTHS }),
  ...(documents && { client_id_metadata_document_supported: true }),
  authorization_response_iss_parameter_supported: true,
  scopes_supported: [...names.of(SCOPES), OFFLINE_ACCESS],
});

/** The URL in 401 and 403 responses, at which a client finds where to sign in. */
export const resourceMetadataUrl = (issuer: string): string => `${issuer}${PROTECTED_RESOURCE_PATH}/mcp`;

/** The `WWW-Authenticate` header of a 401. It has an `error` only if a credential was sent; else the client just signs in. */
export function challenge(issuer: string, names: ScopeNames, code: ErrorCode): string {
  const scope = names.of(SCOPES).join(' ');
  const about = `Bearer realm="${names.slug}", resource_metadata="${resourceMetadataUrl(issuer)}", scope="${scope}"`;
  return code === 'key_missing'
    ? about
    : `${about}, error="invalid_token", error_description="The token or key is not accepted"`;
}
