// What the control plane answers when it refuses: E2B's statuses and sentences, which callers match on. And teams:
// whose request it is, and things that belong to them. Any well-formed key is valid and is a team of its own; the key
// itself is kept nowhere. What belongs to another team does not exist.
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Cloud, CloudError, Sandbox } from '../cloud.ts';

/** Ends a request with `status` and `{ code, message, error_code? }`. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly errorCode: string | undefined;
  constructor(status: number, message: string, errorCode?: string) {
    super(message);
    this.status = status;
    this.errorCode = errorCode;
  }
}

const sandboxNotFound = (sandboxId: string): ApiError =>
  new ApiError(404, `Sandbox "${sandboxId}" doesn't exist or you don't have access to it`);

/** Old clients add `-<client id>`; it is cut off. @throws ApiError 400 */
export function shortId(sandboxId: string): string {
  const [id = ''] = sandboxId.split('-', 1);
  if (!/^[a-z0-9]+$/.test(id)) throw new ApiError(400, 'Invalid sandbox ID');
  return id;
}

/** @throws ApiError 400, 404 */
export function findSandbox(cloud: Cloud, { teamId }: { readonly teamId: string }, id: string): Sandbox {
  const sandboxId = shortId(id);
  const sandbox = cloud.find(sandboxId);
  if (sandbox?.spec.teamId !== teamId) throw sandboxNotFound(sandboxId);
  return sandbox;
}

/** The registry's refusal, in the API's words. */
export function fromCloud({ code, sandboxId }: CloudError, maxRunning: number): ApiError {
  if (code === 'sandbox_gone') return sandboxNotFound(sandboxId);
  if (code === 'already_paused') {
    return new ApiError(409, `Error pausing sandbox - sandbox '${sandboxId}' is already paused`);
  }
  if (code === 'already_running') return new ApiError(409, `Sandbox ${sandboxId} is already running`);
  if (code === 'closed') return new ApiError(503, 'The local cloud is shutting down', 'sandbox_capacity_unavailable');
  const reached = `you have reached the maximum number of concurrent E2B sandboxes (${maxRunning})`;
  return new ApiError(429, `${reached}. If you need more, please visit 'https://e2b.dev/docs/billing'`);
}

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
