// The two scopes: their names in OAuth, and which of them a client gets. Pure.
import type { Scope } from '../../principal.ts';

export const SCOPES: readonly Scope[] = ['read', 'write'];

/** Asks for a refresh token, which every client gets anyway. Accepted, but not stored in a token. */
export const OFFLINE_ACCESS = 'offline_access';

/** The known scopes in a fixed order. `write` includes `read`. */
export function normalizeScopes(scopes: Iterable<string>): readonly Scope[] {
  const asked = new Set(scopes);
  if (asked.has('write')) asked.add('read');
  return SCOPES.filter(scope => asked.has(scope));
}

/** The names of scopes in OAuth, with the API's name as prefix: `e2b:read`. */
export class ScopeNames {
  /** The API's name in scopes, and the realm of challenges. */
  readonly slug: string;

  constructor(slug: string) {
    this.slug = slug;
  }

  of(scopes: readonly Scope[]): readonly string[] {
    return scopes.map(scope => `${this.slug}:${scope}`);
  }

  /** The scopes that a client asks for. Unknown ones are ignored; if none is left, both scopes are meant. */
  asked(parameter: string | undefined): readonly Scope[] {
    const known = this.#parse(parameter);
    return known.length > 0 ? known : SCOPES;
  }

  /** The scopes of a new token: those asked for, as far as they were granted. */
  narrow(granted: readonly Scope[], parameter: string | undefined): readonly Scope[] {
    const asked = this.#parse(parameter).filter(scope => granted.includes(scope));
    return asked.length > 0 ? asked : granted;
  }

  /** All scopes that a call needs, because some clients then ask only for those in the challenge. */
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
