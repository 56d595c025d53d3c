// Paths as the sandbox daemon reads them: relative to the user's home, `~` expanded, normalised. Pure.
import { posix } from 'node:path';
import { FileError } from './machine.ts';

export const DEFAULT_USER = 'user';

export function homeOf(user: string): string {
  return user === 'root' ? '/root' : `/home/${user}`;
}

/** @throws FileError invalid_argument */
export function sandboxPath(path: string, user: string): string {
  if (path.includes('\0')) throw new FileError('invalid_argument', 'the path holds a NUL character');
  const home = homeOf(user);
  const expanded = path === '~' || path.startsWith('~/') ? home + path.slice(1) : path;
  const absolute = posix.resolve(home, expanded === '' ? '.' : expanded);
  return absolute;
}
