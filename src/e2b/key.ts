// What an E2B API key looks like. The gateway does not prove a key, E2B does, with every call; this only refuses what
// cannot be one, so that a wrong header fails at the border with a hint and not deep inside a run.
import { GatewayError } from '../errors.ts';

/** E2B issues `e2b_` and 40 hexadecimal digits, and checks prefix and hex only. */
const KEY = /^e2b_[0-9a-f]{16,128}$/;

/** `${E2B_API_KEY}`, `$E2B_API_KEY`, `%E2B_API_KEY%`, `{{key}}`, `<your key>`, `YOUR_API_KEY`, `e2b_...`. */
const PLACEHOLDER =
  /^(?:\$\{?[\w:.\-?]+\}?|%\w+%|\{\{?[^{}]*\}?\}|<.*>|\[.*\]|env[.:]\w+|(?:your|my|insert)[-_ ].*|\w*API[-_]?KEY\w*|e2b_(?:\.{3,}|…|x{3,}|\*{3,}|your.*))$/i;

/**
 * The key in its one spelling. E2B decodes the hexadecimal digits before it compares, so their case does not matter
 * there; it must not here either, or one account would count as several callers.
 *
 * @throws GatewayError key_malformed
 */
export function parseKey(text: string): string {
  if (PLACEHOLDER.test(text))
    throw new GatewayError(
      'key_malformed',
      'That is a placeholder, not a key: the variable was not filled in. Set E2B_API_KEY where your client runs, or paste the key itself (e2b_…) into its configuration.',
    );
  const key = text.toLowerCase();
  if (key.startsWith('sk_e2b_'))
    throw new GatewayError('key_malformed', 'That is an E2B access token (sk_e2b_…). Send an API key (e2b_…) instead.');
  if (!KEY.test(key))
    throw new GatewayError(
      'key_malformed',
      'That is not an E2B API key. Keys look like "e2b_" and 40 hexadecimal digits.',
    );
  return key;
}

/** `WWW-Authenticate` of a 401 answer. */
export const CHALLENGE =
  'Bearer realm="e2b", error="invalid_token", error_description="Send an E2B API key as bearer token"';

/** A key or access token, wherever in a text it is. */
const KEY_IN_TEXT = /(?:sk_)?e2b_[0-9a-z]{8,}/gi;

/** In front of what the OAuth front seals: tokens, codes, registrations. */
export const SEALED_PREFIX = 'e2bmcp_';
const SEALED_IN_TEXT = /e2bmcp_[\w.-]{8,}/g;

export const maskKeys = (text: string): string =>
  text.replace(KEY_IN_TEXT, 'e2b_[redacted]').replace(SEALED_IN_TEXT, `${SEALED_PREFIX}[redacted]`);
