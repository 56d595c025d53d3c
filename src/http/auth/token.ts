// The logic of /token and /revoke: exchanges a code or a refresh token for new tokens, and ends grants. A refresh token may
// be used again for a short time, because hosted clients use several servers and local clients several processes.
// Does not depend on HTTP.
import { createHash, timingSafeEqual } from 'node:crypto';
import { GatewayError } from '../../errors.ts';
import type { Seal } from '../../ground/seal.ts';
import type { Clients } from './clients.ts';
import type { Parameters } from './form.ts';
import { ACCESS_SECONDS, digestOf, GRANT_SECONDS, type Grant, type Grants, REFRESH_SECONDS } from './grants.ts';
import { isClientSecret } from './registration.ts';
import type { Replay } from './replay.ts';
import { isOurResource } from './resource.ts';
import type { ScopeNames } from './scopes.ts';

export type Credentials = { readonly id: string; readonly secret: string | undefined };
/** Asks the API whether a key is valid. */
export type KeyCheck = (apiKey: string) => Promise<'valid' | 'refused' | 'unavailable'>;

type TokenAnswer = {
  readonly access_token: string;
  readonly token_type: 'Bearer';
  readonly expires_in: number;
  readonly refresh_token: string;
  readonly scope: string;
};
export type Exchanged = { readonly answer: TokenAnswer; readonly grant: Grant };

export type TokenDeps = {
  readonly seal: Seal;
  readonly grants: Grants;
  readonly clients: Clients;
  readonly replay: Replay;
  readonly checkKey: KeyCheck;
  readonly issuer: string;
  readonly scopeNames: ScopeNames;
  /** The API's name in messages. */
  readonly title: string;
};

/** How long a refresh token can be used again after its first use. */
const GRACE_MS = 120_000;
const VERIFIER = /^[\w.~-]{43,128}$/;

/** @throws GatewayError one of oauth_… */
export async function exchange(parameters: Parameters, credentials: Credentials, deps: TokenDeps): Promise<Exchanged> {
  await checkClient(credentials, deps);
  const resource = parameters.get('resource');
  if (resource !== undefined && !isOurResource(resource, deps.issuer)) throw new GatewayError('oauth_target_invalid');
  switch (parameters.get('grant_type')) {
    case 'authorization_code':
      return redeem(parameters, credentials, deps);
    case 'refresh_token':
      return refresh(parameters, credentials, deps);
    case undefined:
      throw new GatewayError('oauth_request_invalid', 'grant_type is missing.');
    default:
      throw new GatewayError('oauth_grant_type_unsupported');
  }
}

async function checkClient({ id, secret }: Credentials, { clients, seal }: TokenDeps): Promise<void> {
  const auth = await clients.authOf(id);
  if (auth === 'none') return;
  if (secret === undefined || !isClientSecret(seal, id, secret)) throw new GatewayError('oauth_client_invalid');
}

async function redeem(parameters: Parameters, { id }: Credentials, deps: TokenDeps): Promise<Exchanged> {
  const { grants, replay } = deps;
  const code = await grants.openCode(required(parameters, 'code'));
  const verifier = required(parameters, 'code_verifier');
  if (
    code === undefined ||
    code.grant.client !== digestOf(id) ||
    code.callback !== parameters.get('redirect_uri') ||
    !isVerifier(verifier, code.challenge)
  )
    throw new GatewayError('oauth_grant_invalid');
  if (!(await replay.useCode(code.nonce))) {
    // Two parties have code and verifier, so the tokens of both are revoked.
    await replay.end(code.grant.id, GRANT_SECONDS);
    throw new GatewayError('oauth_grant_invalid', 'This code has been used already. Connect again.');
  }
  return issue(code.grant, code.grant, deps);
}

async function refresh(parameters: Parameters, { id }: Credentials, deps: TokenDeps): Promise<Exchanged> {
  const { grants, replay, checkKey } = deps;
  const token = await grants.openRefresh(required(parameters, 'refresh_token'));
  if (token === undefined || token.grant.client !== digestOf(id) || (await replay.hasEnded(token.grant.id)))
    throw new GatewayError('oauth_grant_invalid');
  const verdict = await checkKey(token.grant.apiKey);
  if (verdict === 'unavailable') throw new GatewayError('oauth_unavailable', undefined, { retryAfterMs: 5_000 });
  if (verdict === 'refused')
    throw new GatewayError('oauth_grant_invalid', `${deps.title} does not accept the key any more. Connect again.`);
  const usedMs = await replay.useRefresh(token.nonce, REFRESH_SECONDS);
  if (usedMs !== undefined && usedMs > GRACE_MS) {
    await replay.end(token.grant.id, GRANT_SECONDS);
    throw new GatewayError('oauth_grant_invalid', 'This refresh token has been used already. Connect again.');
  }
  // The narrower scopes are for this access token only; the grant keeps its scopes.
  const narrowed = { ...token.grant, scopes: deps.scopeNames.narrow(token.grant.scopes, parameters.get('scope')) };
  return issue(narrowed, token.grant, deps);
}

async function issue(access: Grant, grant: Grant, { grants, scopeNames }: TokenDeps): Promise<Exchanged> {
  const answer: TokenAnswer = {
    access_token: await grants.access(access),
    token_type: 'Bearer',
    expires_in: ACCESS_SECONDS,
    refresh_token: await grants.refresh(grant),
    scope: scopeNames.of(access.scopes).join(' '),
  };
  return { answer, grant: access };
}

/**
 * RFC 7009: the response is the same whether the token was valid or not. The grant of the token ends; an access token stays
 * valid until it expires.
 *
 * @throws GatewayError oauth_client_invalid, oauth_revocation_unsupported
 */
export async function revoke(
  parameters: Parameters,
  credentials: Credentials,
  deps: TokenDeps,
): Promise<Grant | undefined> {
  if (!deps.replay.canEnd) throw new GatewayError('oauth_revocation_unsupported');
  await checkClient(credentials, deps);
  const token = required(parameters, 'token');
  const grant = ((await deps.grants.openRefresh(token)) ?? (await deps.grants.openAccess(token)))?.grant;
  if (grant === undefined || grant.client !== digestOf(credentials.id)) return undefined;
  await deps.replay.end(grant.id, GRANT_SECONDS);
  return grant;
}

function required(parameters: Parameters, name: string): string {
  const value = parameters.get(name);
  if (value === undefined || value === '') throw new GatewayError('oauth_request_invalid', `${name} is missing.`);
  return value;
}

function isVerifier(verifier: string, challenge: string): boolean {
  if (!VERIFIER.test(verifier)) return false;
  const [computed, expected] = [createHash('sha256').update(verifier).digest(), Buffer.from(challenge, 'base64url')];
  return computed.length === expected.length && timingSafeEqual(computed, expected);
}
