// Names of templates and snapshots: `[namespace/]name[:tag]`. Pure.
import { ApiError } from './errors.ts';

export type TemplateName = {
  readonly namespace: string | undefined;
  readonly name: string;
  readonly tag: string | undefined;
};

export const DEFAULT_TAG = 'default';

/** @throws ApiError 400 */
export function parseName(text: string, what = 'template reference'): TemplateName {
  const match = /^(?:([a-z0-9_-]+)\/)?([a-z0-9_-]+)(?::([a-z0-9_.-]+))?$/.exec(text.trim().toLowerCase());
  if (match === null) {
    throw new ApiError(400, `Invalid ${what}: '${text}' is not of the form [namespace/]name[:tag]`);
  }
  return { namespace: match[1], name: match[2] ?? '', tag: match[3] };
}
