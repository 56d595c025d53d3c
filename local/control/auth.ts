// Whose request it is. Any well-formed key is valid and is a team of its own; the key itself is kept nowhere.
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
