// The resource that tokens are valid for: this gateway's MCP endpoint. Pure.

export const resourceOf = (issuer: string): string => `${issuer}/mcp`;

/** Accepts the endpoint or the origin, with or without a final slash and default port, host in upper or lower case. */
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
