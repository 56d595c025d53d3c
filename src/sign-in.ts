// Builds the OAuth front from the configuration, if the operator turned it on. Part of the composition root.
import type { Redis } from 'ioredis';
import type { Api } from './api.ts';
import type { Config } from './config.ts';
import { createOAuthFront, type OAuthFront } from './http/auth/front.ts';
import type { KeyCheck } from './http/auth/token.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';

type SignInParts = {
  readonly api: Api;
  /** The URL at which the process listens. */
  readonly url: string;
  readonly checkKey: KeyCheck;
  readonly redis: Redis | undefined;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'signIn' | 'limited'>;
};

/** Returns undefined without OAUTH_KEYS. */
export function createSignIn(config: Config, parts: SignInParts): OAuthFront | undefined {
  const [first, ...others] = config.OAUTH_KEYS ?? [];
  if (first === undefined) return undefined;
  const { url, metrics, ...rest } = parts;
  return createOAuthFront({
    ...rest,
    // PUBLIC_URL can be missing in local mode only.
    issuer: config.PUBLIC_URL === undefined ? reachable(url) : new URL(config.PUBLIC_URL).origin,
    ring: [first, ...others],
    redirects: config.OAUTH_REDIRECTS ?? [],
    documents: config.OAUTH_CIMD,
    rawKeys: config.OAUTH_RAW_KEYS,
    notBeforeMs: config.OAUTH_NOT_BEFORE ?? 0,
    rates: {
      pages: config.OAUTH_PAGES_PER_MINUTE,
      keys: config.OAUTH_KEYS_PER_MINUTE,
      tokens: config.OAUTH_TOKENS_PER_MINUTE,
    },
    onEvent: metrics.signIn,
    onLimited: () => metrics.limited('address'),
  });
}

/** Clients cannot connect to a wildcard address, so localhost replaces it. */
const reachable = (url: string): string => url.replace(/^http:\/\/(?:0\.0\.0\.0|\[::\]):/, 'http://localhost:');
