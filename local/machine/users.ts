// The users of a sandbox: the lines of its /etc/passwd, so that a user added there exists; and paths as the sandbox
// daemon reads them for one: relative to the user's home, `~` expanded, normalised.
import { posix } from 'node:path';
import { Failure } from './failure.ts';
import type { FileTree } from './machine.ts';

export type User = { readonly name: string; readonly uid: number; readonly gid: number; readonly home: string };

export const DEFAULT_USER = 'user';
export const PASSWD_PATH = '/etc/passwd';

/** What a new sandbox has. */
export const PASSWD = `root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
user:x:1000:1000::/home/user:/bin/bash
`;

export function parseUsers(passwd: string): User[] {
  return passwd.split('\n').flatMap(line => {
    const [name, , uid, gid, , home] = line.split(':');
    if (!name || !home || !/^\d+$/.test(uid ?? '')) return [];
    return [{ name, uid: Number(uid), gid: Number(gid), home }];
  });
}

export async function usersOf(files: Pick<FileTree, 'read'>): Promise<User[]> {
  const bytes = await files.read(PASSWD_PATH).catch(() => Buffer.from(PASSWD));
  return parseUsers(Buffer.from(bytes).toString('utf8'));
}

export async function findUser(files: Pick<FileTree, 'read'>, name: string): Promise<User | undefined> {
  return (await usersOf(files)).find(user => user.name === name);
}

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
