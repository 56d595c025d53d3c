// Things that belong to teams, by id. What belongs to another team does not exist.
import { ApiError } from './errors.ts';

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
