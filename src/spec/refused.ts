// Path segments that no request may contain, whatever the description says: credentials, other tenants, the provider's
// machines. Used for the description (slim.ts) and by the guard. Callers must decode the segments first.

const REFUSED: ReadonlySet<string> = new Set(['api-keys', 'access-tokens', 'teams', 'admin', 'nodes', 'secrets']);

/** `segment`: one decoded path segment, without slashes. Case is ignored. */
export function isRefusedSegment(segment: string): boolean {
  return REFUSED.has(segment.toLowerCase());
}
