// A file tree in a directory of the host, which is the sandbox's `/`. For the process shell, which does not isolate
// anyway; messages still contain only the sandbox's paths.
import { createReadStream, createWriteStream, watch as watchHost } from 'node:fs';
import * as fs from 'node:fs/promises';
import { posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Failure, type FailureCode } from '../../../local/machine/failure.ts';
import type { FileEvent, FileStat, FileTree } from '../../../local/machine/machine.ts';

const CODES: Readonly<Record<string, FailureCode>> = {
  ENOENT: 'not_found',
  EEXIST: 'already_exists',
  ENOTDIR: 'invalid_argument',
  EISDIR: 'invalid_argument',
  EINVAL: 'invalid_argument',
  ENAMETOOLONG: 'invalid_argument',
  ELOOP: 'invalid_argument',
  ENOTEMPTY: 'already_exists',
  EACCES: 'permission_denied',
  EPERM: 'permission_denied',
  ENOSPC: 'resource_exhausted',
};
const WORDS: Readonly<Partial<Record<FailureCode, string>>> = {
  not_found: 'path not found',
  already_exists: 'path already exists',
  invalid_argument: 'not that kind of path',
  permission_denied: 'permission denied',
  resource_exhausted: 'no space left',
};

export class RealFiles implements FileTree {
  /** The real path on the host, with links resolved. */
  readonly #root: string;
  readonly #metadata = new Map<string, Readonly<Record<string, string>>>();

  constructor(root: string) {
    this.#root = root;
  }

  host(path: string): string {
    return posix.join(this.#root, posix.resolve('/', path));
  }

  #inside(hostPath: string): string {
    if (hostPath === this.#root) return '/';
    return hostPath.startsWith(`${this.#root}/`) ? hostPath.slice(this.#root.length) : hostPath;
  }

  async #try<T>(path: string, work: (host: string) => Promise<T>): Promise<T> {
    try {
      return await work(this.host(path));
    } catch (caught) {
      const code = CODES[(caught as NodeJS.ErrnoException).code ?? ''];
      if (code === undefined || caught instanceof Failure) throw caught;
      throw new Failure(code, `${WORDS[code]}: ${path}`);
    }
  }

  stat(path: string): Promise<FileStat> {
    return this.#try(path, async host => toStat(await fs.stat(host)));
  }

  lstat(path: string): Promise<FileStat> {
    return this.#try(path, async host => toStat(await fs.lstat(host)));
  }

  readlink(path: string): Promise<string> {
    return this.#try(path, async host => this.#inside(await fs.readlink(host)));
  }

  realpath(path: string): Promise<string> {
    return this.#try(path, async host => this.#inside(await fs.realpath(host)));
  }

  list(path: string): Promise<string[]> {
    return this.#try(path, host => fs.readdir(host));
  }

  read(path: string): Promise<Uint8Array> {
    return this.#try(path, async host => {
      await readable(host);
      return fs.readFile(host);
    });
  }

  async open(path: string) {
    return this.#try(path, async host => {
      const { size } = await readable(host);
      const bytes = size > SMALL_BYTES ? undefined : await fs.readFile(host);
      const part = (start: number, end: number): AsyncIterable<Uint8Array> =>
        bytes === undefined
          ? exactly(end - start, createReadStream(host, { start, end: Math.max(start, end - 1) }))
          : once(bytes.subarray(start, end));
      return { sizeBytes: bytes?.length ?? size, part };
    });
  }

  write(path: string, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    return this.#try(path, async host => {
      await fs.mkdir(posix.dirname(host), { recursive: true });
      if (body instanceof Uint8Array) await fs.writeFile(host, body);
      else await pipeline(body, createWriteStream(host));
    });
  }

  makeDir(path: string): Promise<void> {
    return this.#try(path, async host => {
      const there = await fs.stat(host).catch(() => undefined);
      if (there?.isDirectory() === true) throw new Failure('already_exists', `directory already exists: ${path}`);
      if (there !== undefined) throw new Failure('invalid_argument', `path is a file: ${path}`);
      await fs.mkdir(host, { recursive: true });
    });
  }

  move(source: string, destination: string): Promise<void> {
    return this.#try(source, async host => {
      await fs.lstat(host);
      await fs.mkdir(posix.dirname(this.host(destination)), { recursive: true });
      await fs.rename(host, this.host(destination));
      this.#moveMetadata(source, destination);
    });
  }

  remove(path: string): Promise<void> {
    return this.#try(path, async host => {
      await fs.rm(host, { recursive: true, force: true });
      this.#moveMetadata(path, undefined);
    });
  }

  symlink(target: string, path: string): Promise<void> {
    return this.#try(path, host => fs.symlink(target.startsWith('/') ? this.host(target) : target, host));
  }

  chmod(path: string, mode: number): Promise<void> {
    return this.#try(path, host => fs.chmod(host, mode));
  }

  /** Every file belongs to the user who runs the tests. */
  async chown(path: string): Promise<void> {
    await this.stat(path);
  }

  touch(path: string, modifiedMs: number): Promise<void> {
    return this.#try(path, host => fs.utimes(host, modifiedMs / 1000, modifiedMs / 1000));
  }

  metadata(path: string): Readonly<Record<string, string>> | undefined {
    return this.#metadata.get(path);
  }

  setMetadata(path: string, metadata: Readonly<Record<string, string>>): void {
    if (Object.keys(metadata).length === 0) this.#metadata.delete(path);
    else this.#metadata.set(path, metadata);
  }

  copyMetadata(from: RealFiles): void {
    for (const [path, each] of from.#metadata) this.#metadata.set(path, each);
  }

  /** Moves metadata with its file or folder; without a destination it is deleted. */
  #moveMetadata(from: string, to: string | undefined): void {
    for (const [path, metadata] of Array.from(this.#metadata)) {
      if (path !== from && !path.startsWith(`${from}/`)) continue;
      this.#metadata.delete(path);
      if (to !== undefined) this.#metadata.set(to + path.slice(from.length), metadata);
    }
  }

  async watch(path: string, recursive: boolean, onEvent: (event: FileEvent) => void): Promise<() => void> {
    return this.#try(path, async host => {
      const known = new Set(await fs.readdir(host, { recursive }).catch(() => []));
      const watcher = watchHost(host, { recursive }, (kind, name) => {
        if (name === null) return;
        // The host only reports that a name was added or removed, so it is checked which.
        fs.lstat(posix.join(host, name)).then(
          () => {
            onEvent({ kind: known.has(name) || kind === 'change' ? 'write' : 'create', path: posix.join(path, name) });
            known.add(name);
          },
          () => {
            if (known.delete(name)) onEvent({ kind: 'remove', path: posix.join(path, name) });
          },
        );
      });
      watcher.on('error', () => watcher.close());
      return () => watcher.close();
    });
  }
}

/** Smaller files are read in one step, so that a file that is rewritten meanwhile is read completely old or new. */
const SMALL_BYTES = 4 * 1024 * 1024;

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

/** The length was announced, so a file that has shrunk meanwhile must abort the response instead of leaving its reader waiting. */
async function* exactly(size: number, body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let sent = 0;
  for await (const chunk of body) {
    sent += chunk.length;
    yield chunk;
  }
  if (sent < size) throw new Error('the file shrank while it was read');
}

/** Devices and pipes have no end, so reading one would use up all memory. */
async function readable(host: string) {
  const stat = await fs.stat(host);
  if (!stat.isFile() && !stat.isDirectory()) throw new Failure('invalid_argument', 'not a regular file');
  return stat;
}

function toStat(stat: Awaited<ReturnType<typeof fs.stat>>): FileStat {
  return {
    type: stat.isDirectory() ? 'directory' : stat.isSymbolicLink() ? 'symlink' : 'file',
    sizeBytes: Number(stat.size),
    mode: Number(stat.mode) & 0o7777,
    modifiedMs: Number(stat.mtimeMs),
    uid: 1000,
  };
}
