// Serves the metadata documents that clients read before a sign-in, to any origin. They are built once from the settings.
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

/** Each document has two paths: some clients append the path of the endpoint, others do not. */
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
