// The one thing tokens are for: this gateway's MCP endpoint. Pure.

export const resourceOf = (issuer: string): string => `${issuer}/mcp`;

/** Clients send the endpoint or the origin, with or without the last slash, host in any case, default port or not. */
export function isOurResource(given: string, issuer: string): boolean {
  if (given.length > 2_048 || !URL.canParse(given)) return false;
  const { origin, pathname, search, hash, username, password } = new URL(given);
  return (
    origin === new URL(issuer).origin &&
    (pathname.replace(/\/$/, '') === '' || pathname.replace(/\/$/, '') === '/mcp') &&
    search + hash + username + password === '' &&
    !given.includes('\\')
  );
}
