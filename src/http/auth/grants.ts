// Grants of users in their three forms: the code that the client exchanges once, the access token for calls, and the refresh
// token. All contain the encrypted API key. `notBeforeMs` ends all older grants at once.
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Opened, Purpose, Seal } from '../../ground/seal.ts';
import type { Scope } from '../../principal.ts';
import type { ClientKind } from './pinned.ts';
import { normalizeScopes } from './scopes.ts';

export type Grant = {
  /** May be logged; stays the same from the code to the last refresh. */
  readonly id: string;
  readonly apiKey: string;
  /** A digest of the client's id, because ids of registered clients are long. */
  readonly client: string;
  readonly kind: ClientKind;
  readonly scopes: readonly Scope[];
  /** When the user agreed, in seconds since 1970. */
  readonly since: number;
};

export type Code = {
  readonly grant: Grant;
  readonly callback: string;
  readonly challenge: string;
  readonly nonce: string;
};
export type Refresh = { readonly grant: Grant; readonly nonce: string; readonly kid: string };
export type Access = { readonly grant: Grant; readonly issuedAtMs: number; readonly expiresAtMs: number };

const CODE_SECONDS = 60;
export const ACCESS_SECONDS = 3_600;
/** A refresh token is valid this long, and a grant this long after the user agreed. */
export const REFRESH_SECONDS = 30 * 86_400;
export const GRANT_SECONDS = 180 * 86_400;

export const digestOf = (clientId: string): string =>
  createHash('sha256').update(clientId).digest('base64url').slice(0, 22);

const newId = (): string => randomBytes(12).toString('base64url');

const GRANT = z.object({
  g: z.string(),
  k: z.string(),
  c: z.string(),
  t: z.string(),
  s: z.string(),
  a: z.number(),
});
const CODE = GRANT.extend({ r: z.string(), h: z.string(), j: z.string() });
const REFRESH = GRANT.extend({ j: z.string() });
const ACCESS = GRANT.extend({ exp: z.number() });

export type GrantsOptions = { readonly seal: Seal; readonly now: () => number; readonly notBeforeMs: number };

export class Grants {
  readonly #options: GrantsOptions;

  constructor(options: GrantsOptions) {
    this.#options = options;
  }

  /** Creates a grant that begins now. */
  begin(about: Pick<Grant, 'apiKey' | 'kind' | 'scopes'> & { readonly clientId: string }): Grant {
    const { apiKey, kind, scopes, clientId } = about;
    const since = Math.floor(this.#options.now() / 1000);
    return { id: newId(), apiKey, kind, scopes, client: digestOf(clientId), since };
  }

  code({ grant, callback, challenge }: Omit<Code, 'nonce'>): Promise<string> {
    const claims = { ...claimsOf(grant), r: callback, h: challenge, j: newId() };
    return this.#options.seal.seal('code', claims, CODE_SECONDS);
  }

  access(grant: Grant): Promise<string> {
    return this.#options.seal.seal('access', claimsOf(grant), ACCESS_SECONDS);
  }

  refresh(grant: Grant): Promise<string> {
    const left = grant.since + GRANT_SECONDS - Math.floor(this.#options.now() / 1000);
    return this.#options.seal.seal('refresh', { ...claimsOf(grant), j: newId() }, Math.min(REFRESH_SECONDS, left));
  }

  async openCode(sealed: string): Promise<Code | undefined> {
    const opened = await this.#open('code', sealed);
    if (opened === undefined) return undefined;
    const claims = CODE.parse(opened.claims);
    return { grant: grantOf(claims), callback: claims.r, challenge: claims.h, nonce: claims.j };
  }

  async openAccess(sealed: string): Promise<Access | undefined> {
    const opened = await this.#open('access', sealed);
    if (opened === undefined) return undefined;
    const claims = ACCESS.parse(opened.claims);
    return { grant: grantOf(claims), issuedAtMs: opened.iat * 1000, expiresAtMs: claims.exp * 1000 };
  }

  async openRefresh(sealed: string): Promise<Refresh | undefined> {
    const opened = await this.#open('refresh', sealed);
    if (opened === undefined) return undefined;
    const claims = REFRESH.parse(opened.claims);
    return { grant: grantOf(claims), nonce: claims.j, kid: opened.kid };
  }

  async #open(purpose: Purpose, sealed: string): Promise<Opened | undefined> {
    const opened = await this.#options.seal.open(purpose, sealed);
    return opened === undefined || Number(opened.claims.a) * 1000 < this.#options.notBeforeMs ? undefined : opened;
  }
}

const claimsOf = ({ id, apiKey, client, kind, scopes, since }: Grant) => ({
  g: id,
  k: apiKey,
  c: client,
  t: kind,
  s: scopes.join(' '),
  a: since,
});

const grantOf = ({ g, k, c, t, s, a }: z.output<typeof GRANT>): Grant => ({
  id: g,
  apiKey: k,
  client: c,
  kind: t as ClientKind,
  scopes: normalizeScopes(s.split(' ')),
  since: a,
});
