// The two scopes, and what a grant holds after a client has asked and a person has chosen. Pure.

export const READ_SCOPE = 'e2b:read';
export const WRITE_SCOPE = 'e2b:write';
export const SCOPES = [READ_SCOPE, WRITE_SCOPE] as const;
export type Scope = (typeof SCOPES)[number];

/** Asks for a refresh token, which every client gets. Known, but nothing that a token carries. */
export const OFFLINE_ACCESS = 'offline_access';

/** A list in a fixed order without what we do not know. Who may change may look: `e2b:write` brings `e2b:read`. */
export function normalizeScopes(scopes: Iterable<string>): readonly Scope[] {
  const asked = new Set(scopes);
  if (asked.has(WRITE_SCOPE)) asked.add(READ_SCOPE);
  return SCOPES.filter(scope => asked.has(scope));
}

/** Scopes we do not know are dropped: clients ask for what they saw elsewhere. None left: both. */
export function scopesAsked(parameter: string | undefined): readonly Scope[] {
  const known = normalizeScopes((parameter ?? '').split(' '));
  return known.length > 0 ? known : SCOPES;
}

/** Less than was granted is fine, more is not: it is left out. */
export function narrowScopes(granted: readonly Scope[], parameter: string | undefined): readonly Scope[] {
  const asked = normalizeScopes((parameter ?? '').split(' ')).filter(scope => granted.includes(scope));
  return asked.length > 0 ? asked : granted;
}

/** What the gateway's other parts know a scope as. */
const CAPABILITIES = { [READ_SCOPE]: 'read', [WRITE_SCOPE]: 'write' } as const;

export const capabilitiesOf = (scopes: readonly Scope[]) => scopes.map(scope => CAPABILITIES[scope]);

/** All that a call needs, in one challenge: some clients ask for nothing but what it names. */
export const scopesFor = (capability: 'read' | 'write'): readonly [Scope, ...Scope[]] =>
  capability === 'write' ? [READ_SCOPE, WRITE_SCOPE] : [READ_SCOPE];
