// A file tree over a virtual disk.
import { posix } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { FsStat } from 'just-bash';
import { Failure, type FailureCode } from '../failure.ts';
import type { FileEvent, FileStat, FileTree } from '../machine.ts';
import type { Disk } from './disk.ts';

/** How just-bash begins its messages. */
const CODES: readonly (readonly [RegExp, FailureCode, string])[] = [
  [/ENOENT/, 'not_found', 'path not found'],
  [/EEXIST|ENOTEMPTY/, 'already_exists', 'path already exists'],
  [/EISDIR|ENOTDIR|EINVAL|ELOOP/, 'invalid_argument', 'not that kind of path'],
  [/EACCES|EPERM/, 'permission_denied', 'permission denied'],
  [/ENOSPC|EFBIG|limit|exceed/i, 'resource_exhausted', 'no space left'],
];

/** Owner of files that have no other. */
const USER_UID = 1000;

export class VirtualFiles implements FileTree {
  readonly #disk: Disk;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  async stat(path: string): Promise<FileStat> {
    const stat = await attempt(path, this.#disk.stat(path));
    return toStat(stat, this.#disk.uidOf(await this.#disk.realpath(path).catch(() => path)));
  }

  async lstat(path: string): Promise<FileStat> {
    return toStat(await attempt(path, this.#disk.lstat(path)), this.#disk.uidOf(path));
  }

  readonly readlink = (path: string): Promise<string> => attempt(path, this.#disk.readlink(path));
  readonly realpath = (path: string): Promise<string> => attempt(path, this.#disk.realpath(path));
  readonly list = (path: string): Promise<string[]> => attempt(path, this.#disk.readdir(path));
  readonly read = (path: string): Promise<Uint8Array> => attempt(path, this.#disk.readFileBuffer(path));

  async open(path: string) {
    const bytes = await this.read(path);
    return { sizeBytes: bytes.length, part: (start: number, end: number) => slices(bytes.subarray(start, end)) };
  }

  async write(path: string, body: Uint8Array | AsyncIterable<Uint8Array>, uid = USER_UID): Promise<void> {
    const bytes = body instanceof Uint8Array ? Uint8Array.from(body) : await buffer(body);
    if (await this.#isDirectory(path)) throw new Failure('invalid_argument', `path is a directory: ${path}`);
    await this.#makeDirs(posix.dirname(path), uid);
    const there = await this.#disk.exists(path);
    // Made, given to its owner, filled: watchers see these three.
    if (!there) await attempt(path, this.#disk.writeFile(path, new Uint8Array(0)));
    this.#disk.chown(await this.#disk.realpath(path).catch(() => path), uid);
    if (there || bytes.length > 0) await attempt(path, this.#disk.writeFile(path, bytes));
  }

  async makeDir(path: string, uid = USER_UID): Promise<void> {
    const there = await this.#disk.stat(path).catch(() => undefined);
    if (there?.isDirectory === true) throw new Failure('already_exists', `directory already exists: ${path}`);
    if (there !== undefined) throw new Failure('invalid_argument', `path is a file: ${path}`);
    await this.#makeDirs(path, uid);
  }

  async move(source: string, destination: string): Promise<void> {
    const from = await this.lstat(source);
    if (destination === source) return;
    if (destination.startsWith(`${source}/`)) {
      throw new Failure('invalid_argument', `cannot move ${source} into itself`);
    }
    await this.#makeDirs(posix.dirname(destination), USER_UID);
    const to = await this.#disk.lstat(destination).catch(() => undefined);
    if (to !== undefined && to.isDirectory !== (from.type === 'directory')) {
      throw new Failure('invalid_argument', `is ${to.isDirectory ? 'a' : 'not a'} directory: ${destination}`);
    }
    if (to?.isDirectory === true) await attempt(destination, this.#disk.rm(destination));
    await attempt(source, this.#disk.mv(source, destination));
  }

  remove(path: string): Promise<void> {
    return attempt(path, this.#disk.rm(path, { recursive: true, force: true }));
  }

  readonly symlink = (target: string, path: string): Promise<void> => attempt(path, this.#disk.symlink(target, path));
  readonly chmod = (path: string, mode: number): Promise<void> => attempt(path, this.#disk.chmod(path, mode));

  async chown(path: string, uid: number): Promise<void> {
    await this.stat(path);
    this.#disk.chown(path, uid);
  }

  touch(path: string, modifiedMs: number): Promise<void> {
    return attempt(path, this.#disk.utimes(path, new Date(modifiedMs), new Date(modifiedMs)));
  }

  readonly metadata = (path: string) => this.#disk.metadataOf(path);
  readonly setMetadata = (path: string, metadata: Readonly<Record<string, string>>): void =>
    this.#disk.setMetadata(path, metadata);

  async watch(path: string, recursive: boolean, onEvent: (event: FileEvent) => void): Promise<() => void> {
    const prefix = path === '/' ? '/' : `${path}/`;
    return this.#disk.onChange(event => {
      if (!event.path.startsWith(prefix)) return;
      if (recursive || posix.dirname(event.path) === path) onEvent(event);
    });
  }

  async #isDirectory(path: string): Promise<boolean> {
    return (await this.#disk.stat(path).catch(() => undefined))?.isDirectory === true;
  }

  /** From the top; what is made becomes the user's. */
  async #makeDirs(path: string, uid: number): Promise<void> {
    if (await this.#isDirectory(path)) return;
    if (await this.#disk.exists(path)) throw new Failure('invalid_argument', `path is a file: ${path}`);
    await this.#makeDirs(posix.dirname(path), uid);
    await attempt(path, this.#disk.mkdir(path));
    this.#disk.chown(path, uid);
  }
}

async function attempt<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (caught) {
    const message = caught instanceof Error ? caught.message : '';
    const known = CODES.find(([pattern]) => pattern.test(message));
    if (known === undefined) throw caught;
    throw new Failure(known[1], `${known[2]}: ${path}`);
  }
}

function toStat(stat: FsStat, uid: number): FileStat {
  return {
    type: stat.isDirectory ? 'directory' : stat.isSymbolicLink ? 'symlink' : 'file',
    sizeBytes: stat.size,
    mode: stat.mode & 0o7777,
    modifiedMs: stat.mtime.getTime(),
    uid,
  };
}

const SLICE_BYTES = 64 * 1024;

async function* slices(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) yield bytes.subarray(at, at + SLICE_BYTES);
}
