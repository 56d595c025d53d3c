// A disk as one user sees it, for the shell: what others keep to themselves is refused, what the user makes is theirs.
// The daemon's file API goes past it, as root, and so do Python and Node here.
import { posix } from 'node:path';
import type { User } from '../users.ts';
import type { Disk } from './disk.ts';

const READ = 4;
const WRITE = 2;
const STICKY = 0o1000;

type Path = string;
/** What is asked of the disk before a call, and which paths the call will make. @throws EACCES */
type Check = (access: Access, args: readonly unknown[]) => Promise<readonly Path[]>;

class Access {
  readonly disk: Disk;
  readonly user: User;
  readonly #refused: Set<Path>;

  constructor(disk: Disk, user: User, refused: Set<Path>) {
    this.disk = disk;
    this.user = user;
    this.#refused = refused;
  }

  #denied(path: Path): Error {
    this.#refused.add(path);
    return new Error(`EACCES: permission denied, '${path}'`);
  }

  async read(path: Path): Promise<void> {
    this.#reach(path);
    const stat = await this.disk.stat(path).catch(() => undefined);
    if (stat !== undefined && !this.#may(path, stat.mode, READ)) throw this.#denied(path);
  }

  /** Into the file, or into its folder when there is none yet. */
  async write(path: Path): Promise<readonly Path[]> {
    this.#reach(path);
    const stat = await this.disk.stat(path).catch(() => undefined);
    if (stat === undefined) {
      const parent = await this.disk.stat(posix.dirname(path)).catch(() => undefined);
      if (parent === undefined && !path.startsWith('/dev/'))
        throw new Error(`ENOENT: no such file or directory, '${path}'`);
      return this.make(path);
    }
    if (!path.startsWith('/dev/') && !this.#may(path, stat.mode, WRITE)) throw this.#denied(path);
    return [];
  }

  /** The path and all folders above it that are missing. */
  async make(path: Path): Promise<readonly Path[]> {
    if (path === '/' || path.startsWith('/dev/') || (await this.disk.exists(path))) return [];
    const parent = posix.dirname(path);
    const above = await this.make(parent);
    if (above.length === 0) await this.#folder(parent, path);
    return [...above, path];
  }

  async remove(path: Path): Promise<void> {
    if (!(await this.disk.exists(path)) || path === '/') return;
    const folder = posix.dirname(path);
    const sticky = ((await this.#folder(folder, path)) & STICKY) !== 0;
    if (sticky && !this.#owns(folder) && !this.#owns(path)) throw this.#denied(path);
  }

  async own(path: Path): Promise<void> {
    this.#reach(path);
    if ((await this.disk.exists(path)) && !this.#owns(path)) {
      throw new Error(`EPERM: operation not permitted, '${path}'`);
    }
  }

  /** May entries of the folder change? */
  async #folder(folder: Path, path: Path): Promise<number> {
    this.#reach(path);
    const { mode } = await this.disk.stat(folder);
    if (!this.#may(folder, mode, WRITE)) throw this.#denied(path);
    return mode;
  }

  /** No folder on the way is closed to the user. */
  #reach(path: Path): void {
    if (closedTo(this.disk, this.user, path)) throw this.#denied(path);
  }

  #may(path: Path, mode: number, bit: number): boolean {
    return this.user.uid === 0 || ((this.#owns(path) ? mode >> 6 : mode) & bit) !== 0;
  }

  /** What belongs to them, or would be theirs to do with as they like: root's is everything. */
  #owns(path: Path): boolean {
    return this.user.uid === 0 || this.disk.uidOf(path) === this.user.uid;
  }
}

/** Whether the user may not come to what is at the path: a folder above it is closed to them. */
export function closedTo(disk: Disk, { uid }: User, path: Path): boolean {
  const closed = [...disk.closedFolders].filter(folder => path.startsWith(`${folder}/`));
  return uid !== 0 && closed.some(folder => disk.uidOf(folder) !== uid);
}

const first = (args: readonly unknown[]): Path => posix.resolve('/', String(args[0]));
const second = (args: readonly unknown[]): Path => posix.resolve('/', String(args[1]));

const nothingMade =
  (work: (access: Access, path: Path) => Promise<void>): Check =>
  async (access, args) => {
    await work(access, first(args));
    return [];
  };
const reads = nothingMade((access, path) => access.read(path));
const writes: Check = (access, args) => access.write(first(args));

const CHECKS: Readonly<Record<string, Check>> = {
  readFile: reads,
  readFileBytes: reads,
  readFileBuffer: reads,
  readdir: reads,
  readdirWithFileTypes: reads,
  writeFile: writes,
  appendFile: writes,
  mkdir: (access, args) => access.make(first(args)),
  symlink: (access, args) => access.make(second(args)),
  chmod: nothingMade((access, path) => access.own(path)),
  rm: nothingMade((access, path) => access.remove(path)),
  async mv(access, args) {
    await access.remove(first(args));
    await access.make(second(args));
    return [];
  },
  async cp(access, args) {
    await access.read(first(args));
    return access.write(second(args));
  },
};

/** `refused` collects what was refused, because the shell's own commands say that it is not there. */
export function asUser(disk: Disk, user: User, refused: Set<Path>): Disk {
  const access = new Access(disk, user, refused);
  return new Proxy(disk, {
    get(_disk, name) {
      const value: unknown = Reflect.get(disk, name, disk);
      if (typeof value !== 'function') return value;
      const method = value.bind(disk) as (...args: unknown[]) => Promise<unknown>;
      const check = typeof name === 'string' && Object.hasOwn(CHECKS, name) ? CHECKS[name] : undefined;
      if (check === undefined) return method;
      return async (...args: unknown[]) => {
        const made = await check(access, args);
        const result = await method(...args);
        for (const path of made) disk.give(path, user.uid);
        return result;
      };
    },
  });
}
