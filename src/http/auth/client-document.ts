// Clients whose id is the URL of a document about them (Client ID Metadata Document): which URLs are accepted, and what the
// document must contain. Pure: document-fetch.ts fetches it.

import { isIP } from 'node:net';
import { z } from 'zod';
import { tryParseJson } from '../../ground/json.ts';
import { isPlain } from './redirects.ts';

export type ClientDocument = { readonly name: string; readonly callbacks: readonly string[] };

const MAX_ID_CHARS = 1_024;
const MAX_CALLBACKS = 20;
/** Host names that are never public, whatever they resolve to. */
const PRIVATE_NAME = /(?:^|\.)(?:localhost|local|internal|intranet|lan|home|corp|test|invalid|example|onion|arpa)$/;

/** A normalized https URL on port 443, with a path, on a public host that is not the gateway's own. */
export function isDocumentUrl(clientId: string, ownHost: string): boolean {
  if (clientId.length > MAX_ID_CHARS || !clientId.startsWith('https://') || !URL.canParse(clientId)) return false;
  const url = new URL(clientId);
  return (
    // Refuses whatever a URL parser would change: dot segments, a default port, upper case in the host, a backslash.
    url.href === clientId &&
    url.port === '' &&
    url.username === '' &&
    url.password === '' &&
    url.hash === '' &&
    url.pathname !== '/' &&
    !/%2e|%5c|%2f/i.test(url.pathname) &&
    url.hostname !== ownHost &&
    isPublicName(url.hostname)
  );
}

const isPublicName = (host: string): boolean =>
  isIP(host.replace(/^\[|\]$/g, '')) === 0 && host.includes('.') && !PRIVATE_NAME.test(host.replace(/\.$/, ''));

const text = z.string().max(2_048);
const DOCUMENT = z.object({
  client_id: text,
  client_name: z.string().min(1).max(256),
  redirect_uris: z.array(text).min(1).max(MAX_CALLBACKS),
  token_endpoint_auth_method: text.optional(),
  token_endpoint_auth_methods_supported: z.array(text).max(16).optional(),
  client_secret: z.unknown().optional(),
});

/** Why the document cannot be used; shown to its author. */
export type DocumentFault = { readonly fault: string };

export function readClientDocument(json: string, clientId: string): ClientDocument | DocumentFault {
  const parsed = DOCUMENT.safeParse(tryParseJson(json));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { fault: `${issue?.path.join('.') || 'the document'}: ${issue?.message ?? 'not valid'}` };
  }
  const document = parsed.data;
  if (document.client_id !== clientId) return { fault: 'client_id is not the URL of the document' };
  if (document.client_secret !== undefined) return { fault: 'a public document must not contain a secret' };
  const method = document.token_endpoint_auth_method;
  const methods = document.token_endpoint_auth_methods_supported ?? [];
  if ([method, ...methods].some(name => name?.startsWith('client_secret') === true))
    return { fault: 'a client whose id is a URL cannot share a secret with this server' };
  // ChatGPT prefers private_key_jwt and also lists none: a method that both sides list is used.
  if ((method ?? 'none') !== 'none' && !methods.includes('none'))
    return { fault: 'token_endpoint_auth_method must be none' };
  const callbacks = document.redirect_uris.filter(isPlain);
  if (callbacks.length === 0) return { fault: 'redirect_uris has no URI that can be used' };
  return { name: document.client_name, callbacks };
}
