// Builds the OAuth front from the settings: its routes and its authenticator. The rest of the gateway depends only on these
// and on Principal. All state is encrypted and kept by the client, so that any replica can serve any step.

import type { Redis } from 'ioredis';
import type { Api } from '../../api.ts';
import { type RingKey, Seal } from '../../ground/seal.ts';
import type { Logger } from '../../log.ts';
import type { Principal } from '../../principal.ts';
import type { Route } from '../routes.ts';
import { authorizeRoutes } from './authorize-routes.ts';
import type { Authenticator } from './bearer.ts';
import { Clients } from './clients.ts';
import { DocumentCache } from './document-cache.ts';
import { createDocumentFetch, type Network } from './document-fetch.ts';
import { createReport, type OAuthRecord } from './events.ts';
import { Grants } from './grants.ts';
import { metadataRoutes } from './metadata-routes.ts';
import { createRates } from './rates.ts';
import { createCallbackList } from './redirects.ts';
import { RefusedKeys } from './refused-keys.ts';
import { MemoryReplay, RedisReplay } from './replay.ts';
import { resourceOf } from './resource.ts';
import { ScopeNames } from './scopes.ts';
import type { KeyCheck } from './token.ts';
import { tokenRoutes } from './token-routes.ts';
import { TokenAuthenticator } from './tokens.ts';

export type FrontOptions = {
  /** The origin under which clients reach the gateway. */
  readonly issuer: string;
  readonly ring: readonly [RingKey, ...RingKey[]];
  /** Callbacks in addition to the known ones; `*`: any https callback. */
  readonly redirects: readonly string[];
  /** Which clients with a URL as id are accepted: those with a built-in document, any, or none. */
  readonly documents: 'pinned' | 'any' | 'off';
  readonly rawKeys: boolean;
  readonly notBeforeMs: number;
  readonly rates: { readonly pages: number; readonly keys: number; readonly tokens: number };
  readonly api: Pick<Api, 'title' | 'key' | 'signIn'>;
  readonly checkKey: KeyCheck;
  /** Undefined: codes are single-use per replica, and reuse of refresh tokens is not detected. */
  readonly redis: Redis | undefined;
  readonly log: Logger;
  readonly onEvent?: (record: OAuthRecord) => void;
  readonly onLimited?: () => void;
  readonly now?: () => number;
  readonly network?: Network;
};

export type OAuthFront = {
  readonly routes: readonly Route[];
  readonly authenticator: Authenticator;
  /** To be called when the API refused the caller's key. */
  keyRefused(principal: Principal): void;
  close(): Promise<void>;
};

export function createOAuthFront(options: FrontOptions): OAuthFront {
  const { issuer, ring, redis, log, api, checkKey, now = Date.now } = options;
  const seal = new Seal({ ring, issuer, audience: resourceOf(issuer), prefix: api.signIn.sealedPrefix, now });
  const grants = new Grants({ seal, now, notBeforeMs: options.notBeforeMs });
  const fetch = createDocumentFetch(options.network);
  const mayUse = createCallbackList(options.redirects, issuer);
  const documents = options.documents === 'any' ? new DocumentCache(fetch, now) : options.documents;
  const clients = new Clients({ seal, issuer, mayUse, documents, log });
  const replay = redis === undefined ? new MemoryReplay() : new RedisReplay(redis, log, now);
  const rates = createRates({ ...options.rates, redis, log, onLimited: options.onLimited });
  const report = createReport(log, options.onEvent);
  const refusedKeys = new RefusedKeys(now);
  const scopeNames = new ScopeNames(api.signIn.slug);
  const shared = { issuer, scopeNames, seal, grants, clients, rates, report, checkKey };
  return {
    routes: [
      ...metadataRoutes(
        { issuer, api, scopeNames },
        { revocation: replay.canEnd, documents: options.documents !== 'off' },
      ),
      ...authorizeRoutes({ ...shared, api }),
      ...tokenRoutes({ ...shared, title: api.title, replay, mayUse, now }),
    ],
    authenticator: new TokenAuthenticator({
      issuer,
      scopeNames,
      seal,
      grants,
      refusedKeys,
      now,
      api,
      rawKeys: options.rawKeys,
    }),
    keyRefused: ({ id, proof }) => {
      if (proof === 'token') refusedKeys.note(id);
    },
    close: () => fetch.close(),
  };
}
