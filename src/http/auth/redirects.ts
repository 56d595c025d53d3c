// Decides where an authorization code may be sent: which callbacks can be registered, and whether the one in a request
// matches. Compares the text as given, because a URL parser would make different texts equal. Pure.

/** The callback of a program on the user's computer, whose port changes with each start. */
const LOOPBACK = /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?(\/[^\s]*|\?[^\s]*)?$/;
/** Excludes what browsers and servers may parse differently: user name, fragment, backslash, control and non-ASCII characters. */
const PLAIN = /^[a-z][a-z0-9.+-]*:\/\/[^/?#\\@\s]+(?:[/?][!$&'()*+,\-./0-9:;=?@A-Z_a-z~%[\]|]*)?$/;
const MAX_CALLBACK_CHARS = 512;

/** Known callbacks of hosted clients. OAUTH_REDIRECTS adds more. */
const KNOWN: readonly string[] = [
  'https://claude.ai/api/mcp/auth_callback',
  'https://claude.com/api/mcp/auth_callback',
  'https://chatgpt.com/connector_platform_oauth_redirect',
  'https://vscode.dev/redirect',
  'https://insiders.vscode.dev/redirect',
  'https://www.cursor.com/agents/mcp/oauth/callback',
  // The only private scheme: older versions of Cursor register it as well.
  'cursor://anysphere.cursor-mcp/oauth/callback',
  'https://antigravity.google/oauth-callback',
  'https://teams.microsoft.com/api/platform/v1.0/oAuthRedirect',
  'https://callback.mistral.ai/v1/integrations_auth/oauth2_callback',
  'https://grok.com/connectors-oauth-exchange-code/',
  'https://console.x.ai/connectors-oauth-exchange-code/',
  'https://www.perplexity.ai/rest/connections/oauth_callback',
  'https://api.devin.ai/mcp/oauth/callback',
];
/** Known callbacks in which a part of the path differs for each connection. */
const KNOWN_FORMS: readonly RegExp[] = [
  /^https:\/\/chatgpt\.com\/connector\/oauth\/[\w-]{1,128}$/,
  /^https:\/\/global\.consent\.azure-apim\.net\/redirect(?:\/[\w-]{1,128})?$/,
];

/** Whether a callback may be used by clients whose identity is not verified. */
export type CallbackList = (callback: string) => boolean;

/** `extra`: exact URLs, or `*` for any https callback. `issuer`: the gateway's own page may sign in too. */
export function createCallbackList(extra: readonly string[], issuer: string): CallbackList {
  const exact = new Set([...KNOWN, ...extra, `${issuer}/`]);
  const anyHttps = extra.includes('*');
  return callback =>
    isPlain(callback) &&
    (isLoopback(callback) ||
      exact.has(callback) ||
      KNOWN_FORMS.some(form => form.test(callback)) ||
      (anyHttps && callback.startsWith('https://')));
}

/** Whether all parsers read the callback in the same way. */
export const isPlain = (callback: string): boolean =>
  callback.length <= MAX_CALLBACK_CHARS && PLAIN.test(callback) && URL.canParse(callback) && !hasDotSegment(callback);

const hasDotSegment = (callback: string): boolean => /\/(?:\.|%2e){1,2}(?:[/?]|$)/i.test(callback);

export const isLoopback = (callback: string): boolean => LOOPBACK.test(callback);

/** Compares character by character, except that loopback callbacks may differ in host name and port. */
export function matchesCallback(registered: readonly string[], given: string): boolean {
  if (!isPlain(given)) return false;
  if (registered.includes(given)) return true;
  if (!isLoopback(given)) return false;
  return registered.some(callback => isLoopback(callback) && afterHost(callback) === afterHost(given));
}

/** Path and query; an empty path counts as `/`. */
const afterHost = (callback: string): string => {
  const rest = LOOPBACK.exec(callback)?.[1] ?? '';
  return rest.startsWith('/') ? rest : `/${rest}`;
};

/** Adds the parameters of `answer` to the query of `callback`, and changes nothing else. */
export function withAnswer(callback: string, answer: Readonly<Record<string, string | undefined>>): string {
  const query = Object.entries(answer)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`]))
    .join('&');
  return `${callback}${callback.includes('?') ? '&' : '?'}${query}`;
}
