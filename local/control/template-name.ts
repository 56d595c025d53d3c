// Names of templates and snapshots: `[namespace/]name[:tag]`. Pure.
import { ApiError } from './errors.ts';

export const DEFAULT_TAG = 'default';

export const isUuid = (text: string): boolean =>
  /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/.test(text);

/** Lower case, trimmed, each once. @throws ApiError 400 */
export function parseTags(tags: readonly string[]): string[] {
  const cleaned = tags.map(tag => {
    const clean = tag.trim().toLowerCase();
    if (!/^[a-z0-9_.-]+$/.test(clean))
      throw new ApiError(400, `Invalid tag: invalid tag '${tag}': invalid tag: ${tag}`);
    if (isUuid(clean)) throw new ApiError(400, `Invalid tag: invalid tag '${tag}': tag cannot be a UUID`);
    return clean;
  });
  return [...new Set(cleaned)];
}

/** @throws ApiError 400 */
export function parseName(text: string, what = 'template reference') {
  const match = /^(?:([a-z0-9_-]+)\/)?([a-z0-9_-]+)(?::([a-z0-9_.-]+))?$/.exec(text.trim().toLowerCase());
  if (match === null) {
    throw new ApiError(400, `Invalid ${what}: '${text}' is not of the form [namespace/]name[:tag]`);
  }
  return { namespace: match[1], name: match[2] ?? '', tag: match[3] };
}
