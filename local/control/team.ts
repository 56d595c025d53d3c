// Teams: whose request it is, and things that belong to them. Any well-formed key is valid and is a team of its own; the
// key itself is kept nowhere.
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { ApiError } from './errors.ts';

/** `slug` is the namespace of the team's template names. */
export type Team = { readonly teamId: string; readonly slug: string };

/** @throws ApiError 401 */
export function authenticate(headers: IncomingHttpHeaders): Team {
  const key = headers['x-api-key'];
  if (typeof key !== 'string' || key === '') throw new ApiError(401, 'authorization header is missing');
  if (!/^e2b_(?:[0-9a-f]{2})+$/i.test(key)) {
    throw new ApiError(
      401,
      'Invalid API key, please visit https://docs.e2b.dev/api-key for more information.\nInvalid API key format',
    );
  }
  const hash = createHash('sha256').update(key).digest('hex');
  const teamId = hash.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
  return { teamId, slug: `team-${hash.slice(0, 8)}` };
}

/** By id. What belongs to another team does not exist. */
export class TeamStore<T extends { readonly id: string; readonly teamId: string }> {
  readonly #kind: string;
  readonly #things = new Map<string, T>();

  /** @param kind What they are called in errors. */
  constructor(kind: string) {
    this.#kind = kind;
  }

  all(): T[] {
    return [...this.#things.values()];
  }

  ofTeam(teamId: string): T[] {
    return this.all().filter(thing => thing.teamId === teamId);
  }

  /** @throws ApiError 404 */
  get(teamId: string, id: string): T {
    const thing = this.#things.get(id);
    if (thing?.teamId !== teamId) throw new ApiError(404, `${this.#kind} '${id}' not found`);
    return thing;
  }

  set(thing: T): T {
    this.#things.set(thing.id, thing);
    return thing;
  }

  remove({ id }: T): void {
    this.#things.delete(id);
  }
}
