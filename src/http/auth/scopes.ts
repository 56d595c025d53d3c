// The two scopes: their names on the wire, and what a grant holds after a client has asked and a person has chosen. Pure.
import type { Scope } from '../../principal.ts';

export const SCOPES: readonly Scope[] = ['read', 'write'];

/** Asks for a refresh token, which every client gets. Known, but nothing that a token carries. */
export const OFFLINE_ACCESS = 'offline_access';

/** In a fixed order, without unknown ones. Who may change may look: `write` brings `read`. */
export function normalizeScopes(scopes: Iterable<string>): readonly Scope[] {
  const asked = new Set(scopes);
  if (asked.has('write')) asked.add('read');
  return SCOPES.filter(scope => asked.has(scope));
}

/** Scopes as clients write them, with the API's name in front: `e2b:read`. */
export class ScopeNames {
  /** The API's name in scopes, and the realm of challenges. */
  readonly slug: string;

  constructor(slug: string) {
    this.slug = slug;
  }

  of(scopes: readonly Scope[]): readonly string[] {
    return scopes.map(scope => `${this.slug}:${scope}`);
  }

  /** Unknown scopes are dropped: clients ask for what they saw elsewhere. None left: both. */
  asked(parameter: string | undefined): readonly Scope[] {
    const known = this.#parse(parameter);
    return known.length > 0 ? known : SCOPES;
  }

  /** Less than was granted is fine; more is left out. */
  narrow(granted: readonly Scope[], parameter: string | undefined): readonly Scope[] {
    const asked = this.#parse(parameter).filter(scope => granted.includes(scope));
    return asked.length > 0 ? asked : granted;
  }

  /** All that a call needs, in one challenge: some clients ask for nothing but what it names. */
  needed(scope: Scope): readonly [string, ...string[]] {
    const read = `${this.slug}:read`;
    return scope === 'write' ? [read, `${this.slug}:write`] : [read];
  }

  #parse(parameter = ''): readonly Scope[] {
    const prefix = `${this.slug}:`;
    const names = parameter.split(' ').filter(name => name.startsWith(prefix));
    return normalizeScopes(names.map(name => name.slice(prefix.length)));
  }
}
