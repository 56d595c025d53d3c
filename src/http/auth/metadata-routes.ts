// The documents clients read before they begin, for any origin. They follow from the settings, so they are written once.
import type { Api } from '../../api.ts';
import type { Route } from '../routes.ts';
import { writeOAuthFault } from './faults.ts';
import {
  AUTHORIZATION_SERVER_PATH,
  authorizationServer,
  PROTECTED_RESOURCE_PATH,
  protectedResource,
} from './metadata.ts';
import type { ScopeNames } from './scopes.ts';

type Offers = Parameters<typeof authorizationServer>[1];

type MetadataDeps = {
  readonly issuer: string;
  readonly api: Pick<Api, 'title' | 'signIn'>;
  readonly scopeNames: ScopeNames;
};

/** The second path of each is for clients that append the endpoint's path, and for those that do not. */
export function metadataRoutes({ issuer, api, scopeNames }: MetadataDeps, offers: Offers): readonly Route[] {
  const documents = [
    [
      PROTECTED_RESOURCE_PATH,
      protectedResource(issuer, api, scopeNames),
      'Where to sign in for this server (RFC 9728).',
    ],
    [AUTHORIZATION_SERVER_PATH, authorizationServer(issuer, offers, scopeNames), 'How to sign in (RFC 8414).'],
  ] as const;
  return documents.flatMap(([path, document, description]) =>
    ['/mcp', ''].map(suffix => ({
      method: 'GET' as const,
      path: path + suffix,
      auth: 'none' as const,
      host: 'allowed' as const,
      origin: 'any' as const,
      description,
      writeFault: writeOAuthFault,
      handlers: [(_request, response) => void response.set('Cache-Control', 'public, max-age=300').json(document)],
    })),
  );
}
