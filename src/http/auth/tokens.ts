// Authenticates callers by access token or, if the operator allows it, by API key: request headers -> Principal. Decrypting a
// token takes as long as the rest of a small call, so valid tokens are cached.

import { createHash } from 'node:crypto';
import type { Api } from '../../api.ts';
import { GatewayError } from '../../errors.ts';
import type { Seal } from '../../ground/seal.ts';
import { fingerprint, type Principal, principalFromKey } from '../../principal.ts';
import { type Authenticator, bearerOf } from './bearer.ts';
import type { Access, Grants } from './grants.ts';
import { challenge, resourceMetadataUrl } from './metadata.ts';
import type { RefusedKeys } from './refused-keys.ts';
import type { ScopeNames } from './scopes.ts';

export type TokenOptions = {
  readonly issuer: string;
  readonly scopeNames: ScopeNames;
  readonly seal: Seal;
  readonly grants: Grants;
  readonly refusedKeys: RefusedKeys;
  readonly now: () => number;
  readonly api: Pick<Api, 'title' | 'key'>;
  /** Whether API keys are accepted as well. */
  readonly rawKeys: boolean;
};

type Known = { readonly principal: Principal; readonly issuedAtMs: number; readonly expiresAtMs: number };

const MAX_KNOWN = 10_000;

export class TokenAuthenticator implements Authenticator {
  readonly #options: TokenOptions;
  /** Valid tokens by digest, in the order of last use. */
  readonly #known = new Map<string, Known>();
  readonly resourceMetadataUrl: string;

  constructor(options: TokenOptions) {
    this.#options = options;
    this.resourceMetadataUrl = resourceMetadataUrl(options.issuer);
  }

  /** @throws GatewayError key_missing, key_malformed, token_invalid */
  readonly authenticate: Authenticator['authenticate'] = async headers => {
    const { api, rawKeys, seal } = this.#options;
    const credential = bearerOf(headers, api);
    if (seal.isOurs(credential)) return this.#fromToken(credential);
    if (!rawKeys)
      throw new GatewayError(
        'key_malformed',
        'This gateway does not accept API keys. Connect with the sign-in of your client.',
      );
    return principalFromKey(api.key.parse(credential));
  };

  readonly challenge: Authenticator['challenge'] = ({ code }) =>
    challenge(this.#options.issuer, this.#options.scopeNames, code);

  async #fromToken(token: string): Promise<Principal> {
    const { refusedKeys, now } = this.#options;
    const known = await this.#open(token);
    if (known === undefined || known.expiresAtMs <= now() || refusedKeys.refuses(known.principal.id, known.issuedAtMs))
      throw new GatewayError('token_invalid');
    return known.principal;
  }

  async #open(token: string): Promise<Known | undefined> {
    const digest = createHash('sha256').update(token).digest('base64');
    const known = this.#known.get(digest);
    if (known !== undefined) {
      this.#known.delete(digest);
      if (known.expiresAtMs > this.#options.now()) this.#known.set(digest, known);
      return known;
    }
    const access = await this.#options.grants.openAccess(token);
    if (access === undefined) return undefined;
    const opened = knownOf(access);
    this.#known.set(digest, opened);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
    return opened;
  }
}

const knownOf = ({ grant, issuedAtMs, expiresAtMs }: Access): Known => ({
  principal: {
    id: fingerprint(grant.apiKey),
    apiKey: grant.apiKey,
    scopes: grant.scopes,
    proof: 'token',
    expiresAtMs,
  },
  issuedAtMs,
  expiresAtMs,
});
