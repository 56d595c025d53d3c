// Dynamic client registration (RFC 7591) without a database: the registration is encrypted in the `client_id`. Decides what
// is registered and what the response contains.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { GatewayError } from '../../errors.ts';
import type { Seal } from '../../ground/seal.ts';
import { cleanName } from './names.ts';
import type { CallbackList } from './redirects.ts';

/** How a registered client authenticates at /token. */
export type ClientAuth = 'none' | 'client_secret_post' | 'client_secret_basic';
export const CLIENT_AUTHS: readonly ClientAuth[] = ['none', 'client_secret_post', 'client_secret_basic'];

export type Registration = {
  readonly name: string | undefined;
  readonly callbacks: readonly string[];
  readonly auth: ClientAuth;
};

const MAX_CALLBACKS = 10;
/** The client_id is part of the URL of /authorize, and proxies limit the length of URLs. */
const MAX_CALLBACK_CHARS_IN_ALL = 1_500;

/** Members that are not used may have any value; `null` means "not given". */
const METADATA = z.object({
  redirect_uris: z.array(z.string().max(2_048)).min(1).max(MAX_CALLBACKS),
  client_name: z.string().max(1_024).nullish(),
  token_endpoint_auth_method: z.string().max(64).nullish(),
});

/** @throws GatewayError oauth_metadata_invalid, oauth_redirect_invalid */
export function readRegistration(body: unknown, mayUse: CallbackList): Registration {
  const parsed = METADATA.safeParse(body);
  if (!parsed.success) {
    const path = parsed.error.issues[0]?.path[0];
    throw path === 'redirect_uris'
      ? new GatewayError('oauth_redirect_invalid', `Send redirect_uris: 1 to ${MAX_CALLBACKS} URLs.`)
      : new GatewayError('oauth_metadata_invalid');
  }
  const { redirect_uris, client_name, token_endpoint_auth_method: method } = parsed.data;
  // Clients register the callbacks of all their versions; one that cannot be used must not invalidate the others.
  const callbacks = [...new Set(redirect_uris)].filter(mayUse);
  if (callbacks.length === 0) throw new GatewayError('oauth_redirect_invalid');
  if (callbacks.join('').length > MAX_CALLBACK_CHARS_IN_ALL)
    throw new GatewayError('oauth_redirect_invalid', 'The redirect_uris are too long together.');
  return {
    name: cleanName(client_name ?? '') || undefined,
    callbacks,
    auth: CLIENT_AUTHS.find(auth => auth === method) ?? 'none',
  };
}

/** A registration never expires, because many clients register only once. */
export function sealRegistration(seal: Seal, { name, callbacks, auth }: Registration): Promise<string> {
  return seal.seal('client', {
    ...(name !== undefined && { n: name }),
    r: callbacks,
    ...(auth !== 'none' && { m: auth }),
  });
}

const SEALED = z.object({
  n: z.string().optional(),
  r: z.array(z.string()),
  m: z.enum(['client_secret_post', 'client_secret_basic']).optional(),
});

/** Undefined: the id was not made here, or its encryption key is no longer configured. */
export async function openRegistration(seal: Seal, clientId: string): Promise<Registration | undefined> {
  const opened = await seal.open('client', clientId);
  if (opened === undefined) return undefined;
  const { n, r, m } = SEALED.parse(opened.claims);
  return { name: n, callbacks: r, auth: m ?? 'none' };
}

/** Missing members are left out, because some clients refuse a response with `null`. */
export function registrationAnswer(
  clientId: string,
  registration: Registration,
  secret: string | undefined,
  iat: number,
) {
  const { name, callbacks, auth } = registration;
  return {
    client_id: clientId,
    client_id_issued_at: iat,
    ...(name !== undefined && { client_name: name }),
    redirect_uris: callbacks,
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: auth,
    ...(secret !== undefined && { client_secret: secret, client_secret_expires_at: 0 }),
  };
}

// --- The secret that some clients require ---------------------------------------------------------------------------

/** Derived from the id, so that it need not be stored. It only proves that a client got the response to its registration. */
export const clientSecret = (seal: Seal, clientId: string): string =>
  secretUnder(seal, seal.derive('client-secret')[0], clientId);

export function isClientSecret(seal: Seal, clientId: string, given: string): boolean {
  const presented = Buffer.from(given);
  return seal.derive('client-secret').some(key => {
    const expected = Buffer.from(secretUnder(seal, key, clientId));
    return expected.length === presented.length && timingSafeEqual(expected, presented);
  });
}

const secretUnder = ({ prefix }: Seal, key: Uint8Array | undefined, clientId: string): string =>
  `${prefix}s_${createHmac('sha256', key ?? '')
    .update(clientId)
    .digest('base64url')}`;
