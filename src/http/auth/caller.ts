// Passes the authenticated caller from HTTP through the MCP SDK to the tools, in the SDK's `authInfo`.
import type { IncomingHttpHeaders } from 'node:http';
import type { AuthInfo } from '@modelcontextprotocol/server';
import type { RequestHandler } from 'express';
import { GatewayError } from '../../errors.ts';
import { POLICIES, type Policy } from '../../ground/approval-policy.ts';
import type { MissingScopes } from '../../mcp/server.ts';
import type { Principal } from '../../principal.ts';
import type { Authenticator } from './bearer.ts';
import type { ScopeNames } from './scopes.ts';

/** `token` is empty, because nothing after this point needs the credential itself. */
const authInfoOf = (
  principal: Principal,
  { requestId, approvals }: { readonly requestId: string; readonly approvals: Policy },
  resourceMetadataUrl: string | undefined,
) => ({
  token: '',
  clientId: principal.id,
  scopes: [...principal.scopes],
  ...(resourceMetadataUrl !== undefined && { resourceMetadataUrl }),
  ...(principal.expiresAtMs !== undefined && { expiresAt: Math.floor(principal.expiresAtMs / 1000) }),
  extra: { requestId, principal, approvals },
});

/** Authenticates each request. `callerOf` returns the result. */
export const checkCaller =
  ({ authenticate, resourceMetadataUrl }: Authenticator): RequestHandler =>
  async (request, _response, next) => {
    const principal = await authenticate(request.headers);
    const { id } = request as typeof request & { id: string };
    const asked = { requestId: id, approvals: approvalsIn(request.headers) };
    Object.assign(request, { auth: authInfoOf(principal, asked, resourceMetadataUrl) });
    next();
  };

/** @throws GatewayError approvals_invalid: a misspelt value must not turn approvals off */
function approvalsIn(headers: IncomingHttpHeaders): Policy {
  const given = headers['x-approvals'] ?? 'off';
  const policy = POLICIES.find(name => name === String(given).trim().toLowerCase());
  if (policy === undefined) throw new GatewayError('approvals_invalid');
  return policy;
}

/** @throws GatewayError key_missing, so that no request reaches a tool without a caller */
export function callerOf(authInfo: AuthInfo | undefined): Principal {
  const principal = authInfo?.extra?.principal as Principal | undefined;
  if (principal === undefined) throw new GatewayError('key_missing');
  return principal;
}

/** The scopes to ask for: the SDK responds with 403 and names them, before anything runs. */
export const missingScopes =
  (names: ScopeNames): MissingScopes =>
  (capability, authInfo) =>
    authInfo === undefined || authInfo.scopes.includes(capability) ? undefined : { scopes: names.needed(capability) };
