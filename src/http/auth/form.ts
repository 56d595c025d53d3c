// Parses queries and forms by OAuth's rules: each parameter may occur once, and an empty one counts as absent. Pure.
import { GatewayError } from '../../errors.ts';

/** Parameters with one value each. */
export type Parameters = ReadonlyMap<string, string>;

const MAX_PARAMETERS = 64;

/** @throws GatewayError oauth_request_invalid if a parameter occurs twice, because two parsers could use different ones */
export function readParameters(text: string): Parameters {
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (parameters.has(name)) throw new GatewayError('oauth_request_invalid', 'A parameter was sent twice.');
    if (parameters.size >= MAX_PARAMETERS) throw new GatewayError('oauth_request_invalid', 'Too many parameters.');
    parameters.set(name, value);
  }
  for (const [name, value] of parameters) if (value === '') parameters.delete(name);
  return parameters;
}

/** Client id and secret, from the Basic header or the form. @throws GatewayError oauth_client_invalid */
export function readCredentials(authorization: string | undefined, form: Parameters) {
  const fromForm = { id: form.get('client_id'), secret: form.get('client_secret') };
  const basic = /^basic\s+([A-Za-z0-9+/=_-]+)$/i.exec(authorization ?? '')?.[1];
  const { id, secret } = basic === undefined ? fromForm : readBasic(basic);
  if (id === undefined || (fromForm.id !== undefined && fromForm.id !== id))
    throw new GatewayError('oauth_client_invalid');
  return { id, secret };
}

/** Both parts should be form-encoded (RFC 6749, 2.3.1). Not all clients do that; our ids are the same either way. */
function readBasic(encoded: string): { readonly id: string | undefined; readonly secret: string | undefined } {
  const [id = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  return { id: decode(id) || undefined, secret: decode(rest.join(':')) || undefined };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
