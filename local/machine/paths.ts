// Paths as the sandbox daemon reads them: relative to the user's home, `~` expanded, normalised. Pure.
import { posix } from 'node:path';
import { FileError } from './machine.ts';
import type { User } from './users.ts';

/** @throws FileError invalid_argument */
export function sandboxPath(path: string, { name, home }: User): string {
  if (path.includes('\0')) throw new FileError('invalid_argument', 'the path holds a NUL character');
  if (/^~[^/\\]/.test(path)) {
    throw new FileError(
      'invalid_argument',
      `failed to expand path '${path}' for user '${name}': cannot expand user-specific home dir`,
    );
  }
  const expanded = path.startsWith('~') ? home + path.slice(1) : path;
  return posix.resolve(home, expanded === '' ? '.' : expanded);
}
