// Checks a request to /authorize: the client, its callback, and what it asks for. The order matters: nothing is sent to the
// callback until client and callback are verified. Does not depend on HTTP or the page.
import { z } from 'zod';
import { GatewayError } from '../../errors.ts';
import type { Seal } from '../../ground/seal.ts';
import type { Scope } from '../../principal.ts';
import type { Admit, Client, Clients } from './clients.ts';
import type { Parameters } from './form.ts';
import type { ClientKind } from './pinned.ts';
import { isOurResource } from './resource.ts';
import type { ScopeNames } from './scopes.ts';

/** A verified request. It is kept, sealed, in the form of the page until the user decides. */
export type Pending = {
  readonly clientId: string;
  readonly kind: ClientKind;
  readonly name: string | undefined;
  readonly clientHost: string | undefined;
  readonly callback: string;
  readonly challenge: string;
  readonly state: string | undefined;
  readonly scopes: readonly Scope[];
};

/** An error that is sent to the client's callback. */
type Refusal = {
  readonly error: 'unsupported_response_type' | 'invalid_request' | 'invalid_target';
  readonly description: string;
};
export type Decision = { readonly client: Client; readonly callback: string; readonly state: string | undefined } & (
  | { readonly pending: Pending }
  | { readonly refusal: Refusal }
);

const PENDING_SECONDS = 600;
const MAX_STATE_BYTES = 2_048;
const CHALLENGE = /^[\w-]{43}$/;

/** @throws GatewayError oauth_request_invalid, oauth_client_unknown, oauth_client_unreachable, oauth_callback_refused */
export async function decide(
  parameters: Parameters,
  {
    issuer,
    clients,
    scopeNames,
  }: { readonly issuer: string; readonly clients: Clients; readonly scopeNames: ScopeNames },
  admit: Admit,
): Promise<Decision> {
  const clientId = parameters.get('client_id');
  const callback = parameters.get('redirect_uri');
  if (clientId === undefined) throw new GatewayError('oauth_request_invalid', 'The app sent no client_id.');
  const client = await clients.find(clientId, admit);
  if (callback === undefined) throw new GatewayError('oauth_request_invalid', 'The app sent no redirect_uri.');
  if (!clients.mayUseCallback(client, callback)) throw new GatewayError('oauth_callback_refused');

  const state = parameters.get('state');
  const refusal = refusalOf(parameters, issuer);
  if (refusal !== undefined) return { client, callback, state, refusal };
  const pending: Pending = {
    clientId,
    kind: client.kind,
    name: client.name,
    clientHost: client.host,
    callback,
    challenge: parameters.get('code_challenge') ?? '',
    state,
    scopes: scopeNames.asked(parameters.get('scope')),
  };
  return { client, callback, state, pending };
}

function refusalOf(parameters: Parameters, issuer: string): Refusal | undefined {
  const refuse = (error: Refusal['error'], description: string) => ({ error, description });
  if (parameters.get('response_type') !== 'code')
    return refuse('unsupported_response_type', 'response_type must be code');
  if ((parameters.get('response_mode') ?? 'query') !== 'query')
    return refuse('invalid_request', 'response_mode must be query');
  if (parameters.get('code_challenge_method') !== 'S256' || !CHALLENGE.test(parameters.get('code_challenge') ?? ''))
    return refuse('invalid_request', 'PKCE is required: a code_challenge of 43 characters with method S256');
  const resource = parameters.get('resource');
  if (resource !== undefined && !isOurResource(resource, issuer))
    return refuse('invalid_target', 'resource must be the URL of this MCP server');
  const state = parameters.get('state') ?? '';
  // A state that was not UTF-8 cannot be returned unchanged.
  if (Buffer.byteLength(state) > MAX_STATE_BYTES || /[\p{Cc}\u{FFFD}]/u.test(state))
    return refuse('invalid_request', `state must be text in UTF-8, ${MAX_STATE_BYTES} bytes at most`);
  return undefined;
}

// --- The sealed request in the page's form --------------------------------------------------------------------------

const SEALED = z.object({
  clientId: z.string(),
  kind: z.string(),
  name: z.string().optional(),
  clientHost: z.string().optional(),
  callback: z.string(),
  challenge: z.string(),
  state: z.string().optional(),
  scopes: z.array(z.string()),
});

/** Every page has its own sealed request, so that two tabs both work. */
export const sealPending = (seal: Seal, pending: Pending): Promise<string> =>
  seal.seal('request', pending, PENDING_SECONDS);

/** @throws GatewayError oauth_page_expired */
export async function openPending(seal: Seal, sealed: string): Promise<Pending> {
  const opened = await seal.open('request', sealed);
  if (opened === undefined) throw new GatewayError('oauth_page_expired');
  return SEALED.parse(opened.claims) as Pending;
}
