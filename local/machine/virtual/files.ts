// A file tree over a virtual disk.
import { posix } from 'node:path';
import type { FsStat } from 'just-bash';
import { FileError, type FileErrorCode, type FileEvent, type FileStat, type FileTree } from '../machine.ts';
import type { Disk } from './disk.ts';

/** How just-bash begins its messages. */
const CODES: readonly (readonly [RegExp, FileErrorCode, string])[] = [
  [/ENOENT/, 'not_found', 'path not found'],
  [/EEXIST|ENOTEMPTY/, 'already_exists', 'path already exists'],
  [/EISDIR|ENOTDIR|EINVAL|ELOOP/, 'invalid_argument', 'not that kind of path'],
  [/EACCES|EPERM/, 'permission_denied', 'permission denied'],
  [/ENOSPC|EFBIG|limit|exceed/i, 'resource_exhausted', 'no space left'],
];

export class VirtualFiles implements FileTree {
  readonly #disk: Disk;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  async stat(path: string): Promise<FileStat> {
    return toStat(await attempt(path, this.#disk.stat(path)));
  }

  async lstat(path: string): Promise<FileStat> {
    return toStat(await attempt(path, this.#disk.lstat(path)));
  }

  readlink(path: string): Promise<string> {
    return attempt(path, this.#disk.readlink(path));
  }

  realpath(path: string): Promise<string> {
    return attempt(path, this.#disk.realpath(path));
  }

  list(path: string): Promise<string[]> {
    return attempt(path, this.#disk.readdir(path));
  }

  read(path: string): Promise<Uint8Array> {
    return attempt(path, this.#disk.readFileBuffer(path));
  }

  async open(path: string): Promise<{ sizeBytes: number; body: AsyncIterable<Uint8Array> }> {
    const bytes = await this.read(path);
    return { sizeBytes: bytes.length, body: slices(bytes) };
  }

  async write(path: string, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    const bytes = body instanceof Uint8Array ? Uint8Array.from(body) : await collect(body);
    if (await this.#isDirectory(path)) throw new FileError('invalid_argument', `path is a directory: ${path}`);
    await this.#parents(path);
    await attempt(path, this.#disk.writeFile(path, bytes));
  }

  async makeDir(path: string): Promise<void> {
    const there = await this.#disk.stat(path).catch(() => undefined);
    if (there?.isDirectory === true) throw new FileError('already_exists', `directory already exists: ${path}`);
    if (there !== undefined) throw new FileError('invalid_argument', `path is a file: ${path}`);
    await attempt(path, this.#disk.mkdir(path, { recursive: true }));
  }

  async move(source: string, destination: string): Promise<void> {
    await this.lstat(source);
    if (destination === source) return;
    if (destination.startsWith(`${source}/`)) {
      throw new FileError('invalid_argument', `cannot move ${source} into itself`);
    }
    await this.#parents(destination);
    await attempt(source, this.#disk.mv(source, destination));
  }

  remove(path: string): Promise<void> {
    return attempt(path, this.#disk.rm(path, { recursive: true, force: true }));
  }

  symlink(target: string, path: string): Promise<void> {
    return attempt(path, this.#disk.symlink(target, path));
  }

  chmod(path: string, mode: number): Promise<void> {
    return attempt(path, this.#disk.chmod(path, mode));
  }

  touch(path: string, modifiedMs: number): Promise<void> {
    return attempt(path, this.#disk.utimes(path, new Date(modifiedMs), new Date(modifiedMs)));
  }

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

  async #parents(path: string): Promise<void> {
    const parent = posix.dirname(path);
    if (await this.#isDirectory(parent)) return;
    await attempt(parent, this.#disk.mkdir(parent, { recursive: true }));
  }
}

async function attempt<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (caught) {
    const message = caught instanceof Error ? caught.message : '';
    const known = CODES.find(([pattern]) => pattern.test(message));
    if (known === undefined) throw caught;
    throw new FileError(known[1], `${known[2]}: ${path}`);
  }
}

function toStat(stat: FsStat): FileStat {
  return {
    type: stat.isDirectory ? 'directory' : stat.isSymbolicLink ? 'symlink' : 'file',
    sizeBytes: stat.size,
    mode: stat.mode & 0o7777,
    modifiedMs: stat.mtime.getTime(),
  };
}

const SLICE_BYTES = 64 * 1024;

async function* slices(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) yield bytes.subarray(at, at + SLICE_BYTES);
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
