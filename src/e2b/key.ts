// The form of an E2B API key. E2B verifies the key with every call; this file only refuses what cannot be a key, so
// that a wrong header fails at once with a hint and not deep inside a run.
import { GatewayError } from '../errors.ts';

/** E2B issues keys with 40 hexadecimal digits, but accepts other lengths. */
const KEY = /^e2b_[0-9a-f]{16,128}$/;

/** E.g. `${E2B_API_KEY}`, `$E2B_API_KEY`, `%E2B_API_KEY%`, `{{key}}`, `<your key>`, `YOUR_API_KEY`, `e2b_...`. */
const PLACEHOLDER =
  /^(?:\$\{?[\w:.\-?]+\}?|%\w+%|\{\{?[^{}]*\}?\}|<.*>|\[.*\]|env[.:]\w+|(?:your|my|insert)[-_ ].*|\w*API[-_]?KEY\w*|e2b_(?:\.{3,}|…|x{3,}|\*{3,}|your.*))$/i;

/**
 * Returns the key in its canonical spelling. E2B ignores the case of the hexadecimal digits, so the gateway must as
 * well: otherwise one account could count as several callers.
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

/** The `WWW-Authenticate` header of a 401 response. */
export const CHALLENGE =
  'Bearer realm="e2b", error="invalid_token", error_description="Send an E2B API key as bearer token"';

/** Finds keys and access tokens anywhere in a text. */
const KEY_IN_TEXT = /(?:sk_)?e2b_[0-9a-z]{8,}/gi;

/** Prefix of encrypted values: tokens, codes, registrations, suspended runs. */
export const SEALED_PREFIX = 'e2bmcp_';
const SEALED_IN_TEXT = /e2bmcp_[\w.-]{8,}/g;

export const maskKeys = (text: string): string =>
  text.replace(KEY_IN_TEXT, 'e2b_[redacted]').replace(SEALED_IN_TEXT, `${SEALED_PREFIX}[redacted]`);
