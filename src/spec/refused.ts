// Path segments no request ever reaches, whatever the description says: credentials, other tenants, the provider's own
// machines. One list for the description (slim.ts) and the guard. Knows nothing of encodings: callers decode first.

const REFUSED: ReadonlySet<string> = new Set(['api-keys', 'access-tokens', 'teams', 'admin', 'nodes', 'secrets']);

/** `segment` is one decoded path segment, without slashes. Case does not matter. */
export function isRefusedSegment(segment: string): boolean {
  return REFUSED.has(segment.toLowerCase());
}
