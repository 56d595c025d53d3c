// Where an authorization code may be sent: which callbacks can be registered at all, and whether the one in a request is
// one of them. Works on the text as given: a URL parser would make look-alikes equal. Pure.

/** A program on the person's own computer. Its port changes from run to run. */
const LOOPBACK = /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?(\/[^\s]*|\?[^\s]*)?$/;
/** Nothing that a browser and a server could read differently: no user name, fragment, backslash, control or non-ASCII. */
const PLAIN = /^[a-z][a-z0-9.+-]*:\/\/[^/?#\\@\s]+(?:[/?][!$&'()*+,\-./0-9:;=?@A-Z_a-z~%[\]|]*)?$/;
const MAX_CALLBACK_CHARS = 512;

/** Callbacks of hosted clients, as they were seen in the field. OAUTH_REDIRECTS adds to them. */
const KNOWN: readonly string[] = [
  'https://claude.ai/api/mcp/auth_callback',
  'https://claude.com/api/mcp/auth_callback',
  'https://chatgpt.com/connector_platform_oauth_redirect',
  'https://vscode.dev/redirect',
  'https://insiders.vscode.dev/redirect',
  'https://www.cursor.com/agents/mcp/oauth/callback',
  // The one private scheme: older Cursor registers it beside the two above.
  'cursor://anysphere.cursor-mcp/oauth/callback',
  'https://antigravity.google/oauth-callback',
  'https://teams.microsoft.com/api/platform/v1.0/oAuthRedirect',
  'https://callback.mistral.ai/v1/integrations_auth/oauth2_callback',
  'https://grok.com/connectors-oauth-exchange-code/',
  'https://console.x.ai/connectors-oauth-exchange-code/',
  'https://www.perplexity.ai/rest/connections/oauth_callback',
  'https://api.devin.ai/mcp/oauth/callback',
];
/** The same, where a part of the path differs from connection to connection. */
const KNOWN_FORMS: readonly RegExp[] = [
  /^https:\/\/chatgpt\.com\/connector\/oauth\/[\w-]{1,128}$/,
  /^https:\/\/global\.consent\.azure-apim\.net\/redirect(?:\/[\w-]{1,128})?$/,
];

/** Whether a callback may be used by clients that prove nothing about themselves. */
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

/** Has only one reading. */
export const isPlain = (callback: string): boolean =>
  callback.length <= MAX_CALLBACK_CHARS && PLAIN.test(callback) && URL.canParse(callback) && !hasDotSegment(callback);

const hasDotSegment = (callback: string): boolean => /\/(?:\.|%2e){1,2}(?:[/?]|$)/i.test(callback);

export const isLoopback = (callback: string): boolean => LOOPBACK.test(callback);

/** Character by character; for loopback callbacks the port, and which of the three names it is, may differ. */
export function matchesCallback(registered: readonly string[], given: string): boolean {
  if (!isPlain(given)) return false;
  if (registered.includes(given)) return true;
  if (!isLoopback(given)) return false;
  return registered.some(callback => isLoopback(callback) && afterHost(callback) === afterHost(given));
}

/** Path and query; no path is `/`. */
const afterHost = (callback: string): string => {
  const rest = LOOPBACK.exec(callback)?.[1] ?? '';
  return rest.startsWith('/') ? rest : `/${rest}`;
};

/** `callback` with the answer in its query; what was there stays as it was. */
export function withAnswer(callback: string, answer: Readonly<Record<string, string | undefined>>): string {
  const query = Object.entries(answer)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`]))
    .join('&');
  return `${callback}${callback.includes('?') ? '&' : '?'}${query}`;
}
