// From the id in a path to a sandbox of the caller's team. What belongs to others does not exist.
import type { Cloud, Sandbox } from '../cloud.ts';
import type { Team } from './auth.ts';
import { ApiError, sandboxNotFound } from './errors.ts';

/** Old clients add `-<client id>`; it is cut off. @throws ApiError 400 */
export function shortId(sandboxId: string): string {
  const [id = ''] = sandboxId.split('-', 1);
  if (!/^[a-z0-9]+$/.test(id)) throw new ApiError(400, 'Invalid sandbox ID');
  return id;
}

/** @throws ApiError 400, 404 */
export function findSandbox(cloud: Cloud, team: Team, id: string): Sandbox {
  const sandboxId = shortId(id);
  const sandbox = cloud.find(sandboxId);
  if (sandbox?.spec.teamId !== team.teamId) throw sandboxNotFound(sandboxId);
  return sandbox;
}
