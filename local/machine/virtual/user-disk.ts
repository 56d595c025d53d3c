// A disk as one user sees it, for the shell: what others keep to themselves is refused, what the user makes is theirs.
// The daemon's file API goes past it, as root, and so do Python and Node here.
import { posix } from 'node:path';
import type { User } from '../users.ts';
import type { Disk } from './disk.ts';

const READ = 4;
const WRITE = 2;
const STICKY = 0o1000;

type Path = string;
/** What is asked of the disk before a call, and which paths the call will make. @throws EACCES, EPERM, ENOENT */
type Check = (path: Path, second: unknown) => Promise<readonly Path[]>;

const pathOf = (given: unknown): Path => posix.resolve('/', String(given));

/** Whether the user may not come to what is at the path: a folder above it is closed to them. */
export function closedTo(disk: Disk, { uid }: User, path: Path): boolean {
  const closed = [...disk.closedFolders].filter(folder => path.startsWith(`${folder}/`));
  return uid !== 0 && closed.some(folder => disk.uidOf(folder) !== uid);
}

/** `refused` collects what was refused, because the shell's own commands say that it is not there. */
export function asUser(disk: Disk, user: User, refused: Set<Path>): Disk {
  const checks = checksOf(disk, user, refused);
  return new Proxy(disk, {
    get(_disk, name) {
      const value: unknown = Reflect.get(disk, name, disk);
      if (typeof value !== 'function') return value;
      const method = value.bind(disk) as (...args: unknown[]) => Promise<unknown>;
      const check = typeof name === 'string' && Object.hasOwn(checks, name) ? checks[name] : undefined;
      if (check === undefined) return method;
      return async (...args: unknown[]) => {
        const made = await check(pathOf(args[0]), args[1]);
        const result = await method(...args);
        for (const path of made) disk.give(path, user.uid);
        return result;
      };
    },
  });
}

/** By the disk's methods. */
function checksOf(disk: Disk, user: User, refused: Set<Path>): Readonly<Record<string, Check>> {
  const denied = (path: Path): Error => {
    refused.add(path);
    return new Error(`EACCES: permission denied, '${path}'`);
  };
  const owns = (path: Path): boolean => user.uid === 0 || disk.uidOf(path) === user.uid;
  const may = (path: Path, mode: number, bit: number): boolean =>
    user.uid === 0 || ((owns(path) ? mode >> 6 : mode) & bit) !== 0;
  const reach = (path: Path): void => {
    if (closedTo(disk, user, path)) throw denied(path);
  };
  /** What there is, if the user may come to it and do that with it. */
  const open = async (path: Path, bit: number) => {
    reach(path);
    const stat = await disk.stat(path).catch(() => undefined);
    if (stat !== undefined && !path.startsWith('/dev/') && !may(path, stat.mode, bit)) throw denied(path);
    return stat;
  };
  const read: Check = async path => {
    await open(path, READ);
    return [];
  };
  /** May entries of its folder change? */
  const inFolder = async (path: Path): Promise<number> => {
    reach(path);
    const { mode } = await disk.stat(posix.dirname(path));
    if (!may(posix.dirname(path), mode, WRITE)) throw denied(path);
    return mode;
  };
  /** The path and all folders above it that are missing. */
  const make = async (path: Path): Promise<readonly Path[]> => {
    if (path === '/' || path.startsWith('/dev/') || (await disk.exists(path))) return [];
    const above = await make(posix.dirname(path));
    if (above.length === 0) await inFolder(path);
    return [...above, path];
  };
  /** Into the file, or into its folder when there is none yet. */
  const write: Check = async path => {
    if ((await open(path, WRITE)) !== undefined || path.startsWith('/dev/')) return [];
    if (await disk.exists(posix.dirname(path))) return make(path);
    throw new Error(`ENOENT: no such file or directory, '${path}'`);
  };
  const remove: Check = async path => {
    if (!(await disk.exists(path)) || path === '/') return [];
    const sticky = ((await inFolder(path)) & STICKY) !== 0;
    if (sticky && !owns(posix.dirname(path)) && !owns(path)) throw denied(path);
    return [];
  };
  return {
    ...{ readFile: read, readFileBytes: read, readFileBuffer: read, readdir: read, readdirWithFileTypes: read },
    ...{ writeFile: write, appendFile: write, mkdir: make, rm: remove },
    symlink: (_target, path) => make(pathOf(path)),
    async mv(from, to) {
      await make(pathOf(to));
      return remove(from, to);
    },
    cp: async (from, to) => [...(await read(from, to)), ...(await write(pathOf(to), to))],
    async chmod(path) {
      reach(path);
      if (!(await disk.exists(path)) || owns(path)) return [];
      throw new Error(`EPERM: operation not permitted, '${path}'`);
    },
  };
}
