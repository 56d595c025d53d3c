// Files as the daemon shows them: type, mode, owner and metadata of an entry, and listings.
import { posix } from 'node:path';
import type { DataMachine, FileStat } from '../machine/machine.ts';
import { type User, usersOf } from '../machine/users.ts';

export type EntryInfo = { readonly type: string; readonly symlinkTarget?: string } & Record<string, unknown>;

/** A link shows the type and mode of what it leads to, with its target; a broken one leads to itself and has no type. */
export async function entryInfo(machine: DataMachine, path: string, users?: readonly User[]): Promise<EntryInfo> {
  const { files } = machine;
  const stat = await files.lstat(path);
  const isLink = stat.type === 'symlink';
  const target = isLink ? await files.stat(path).catch(() => undefined) : stat;
  const metadata = files.metadata(path);
  const known = users ?? (await usersOf(files));
  const owner = known.find(({ uid }) => uid === stat.uid)?.name ?? String(stat.uid);
  return {
    name: posix.basename(path),
    type: target === undefined ? 'FILE_TYPE_UNSPECIFIED' : `FILE_TYPE_${target.type.toUpperCase()}`,
    path,
    size: String(stat.sizeBytes),
    mode: (target?.mode ?? 0) & 0o777,
    permissions: permissions(stat),
    owner,
    group: owner,
    modifiedTime: new Date(stat.modifiedMs).toISOString(),
    ...(isLink ? { symlinkTarget: await files.realpath(path).catch(() => path) } : {}),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

/** As Go writes a mode. */
function permissions({ type, mode }: FileStat): string {
  const kind = type === 'directory' ? 'd' : type === 'symlink' ? 'L' : '';
  const sticky = (mode & 0o1000) !== 0 ? 't' : '';
  const bits = Array.from({ length: 9 }, (_, at) => ((mode >> (8 - at)) & 1 ? 'rwxrwxrwx'[at] : '-'));
  return (kind + sticky || '-') + bits.join('');
}

/** Each folder sorted by name and followed by what is in it. Links are not followed. Paths start with `shown`, where `root` is reached from. */
export async function listDir(machine: DataMachine, shown: string, root: string, depth: number): Promise<EntryInfo[]> {
  const entries: EntryInfo[] = [];
  const users = await usersOf(machine.files);
  const walk = async (directory: string, left: number): Promise<void> => {
    for (const name of (await machine.files.list(directory)).toSorted(byBytes)) {
      const path = posix.join(directory, name);
      const entry = await entryInfo(machine, path, users).catch(() => undefined);
      if (entry === undefined) continue;
      entries.push({ ...entry, path: posix.join(shown, posix.relative(root, path)) });
      const isFolder = entry.type === 'FILE_TYPE_DIRECTORY' && entry.symlinkTarget === undefined;
      if (isFolder && left > 1) await walk(path, left - 1);
    }
  };
  await walk(root, depth);
  return entries;
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
