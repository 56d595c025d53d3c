// Paths as the sandbox daemon reads them: relative to the user's home, `~` expanded, normalised. Pure.
import { posix } from 'node:path';
import { Failure } from './failure.ts';
import type { User } from './users.ts';

/** Of Linux's file systems. */
const MAX_NAME_BYTES = 255;

/** @throws Failure invalid_argument */
export function sandboxPath(path: string, { name, home }: User): string {
  if (path.includes('\0')) throw new Failure('invalid_argument', 'the path holds a NUL character');
  if (/^~[^/\\]/.test(path)) {
    throw new Failure(
      'invalid_argument',
      `failed to expand path '${path}' for user '${name}': cannot expand user-specific home dir`,
    );
  }
  const expanded = path.startsWith('~') ? home + path.slice(1) : path;
  const resolved = posix.resolve(home, expanded === '' ? '.' : expanded);
  const long = resolved.split('/').find(name => Buffer.byteLength(name) > MAX_NAME_BYTES);
  if (long !== undefined) throw new Failure('invalid_argument', `file name too long: ${long.slice(0, 40)}…`);
  return resolved;
}
