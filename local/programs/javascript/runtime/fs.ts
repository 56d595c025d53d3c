// Node's fs over the sandbox's files: the synchronous calls, and the same with promises and callbacks.
import posix from 'path-browserify';
import type { Entry } from '../../operations.ts';
import { Buffer, toBuffer } from './buffer.ts';
import { call, HostError } from './host.ts';

const { dirname, join, resolve } = posix;

type Encoding =
  | string
  | { encoding?: string | null; flag?: string; recursive?: boolean; withFileTypes?: boolean; force?: boolean }
  | null
  | undefined;

function pathOf(path: unknown): string {
  if (typeof path === 'string') return resolve(path);
  if (path instanceof Uint8Array) return resolve(toBuffer(path).toString());
  const href = typeof path === 'object' && path !== null && 'href' in path ? String(path.href) : '';
  if (href.startsWith('file://')) return decodeURIComponent(href.slice(7));
  throw new TypeError('The "path" argument must be a string, a Buffer or a file URL');
}

function encodingOf(options: Encoding): string | undefined {
  return (typeof options === 'string' ? options : options?.encoding) ?? undefined;
}

function bytesOf(data: unknown, options?: Encoding): Uint8Array {
  if (data instanceof Uint8Array) return data;
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.from(String(data), (encodingOf(options) ?? 'utf8') as 'utf8');
}

class Stats {
  readonly #entry: Entry;
  readonly size: number;
  readonly mode: number;
  readonly mtimeMs: number;
  readonly mtime: Date;
  readonly ctime: Date;
  readonly birthtime: Date;
  constructor(entry: Entry) {
    this.#entry = entry;
    this.size = entry.sizeBytes;
    this.mode = entry.mode | (entry.type === 'directory' ? 0o040000 : 0o100000);
    this.mtimeMs = entry.modifiedMs;
    this.mtime = new Date(entry.modifiedMs);
    this.ctime = this.mtime;
    this.birthtime = this.mtime;
  }
  isFile(): boolean {
    return this.#entry.type === 'file';
  }
  isDirectory(): boolean {
    return this.#entry.type === 'directory';
  }
  isSymbolicLink(): boolean {
    return this.#entry.type === 'symlink';
  }
}

class Dirent extends Stats {
  readonly name: string;
  readonly parentPath: string;
  constructor(parentPath: string, name: string) {
    super(call('lstat', { path: join(parentPath, name) }));
    this.name = name;
    this.parentPath = parentPath;
  }
}

function readdirSync(path: unknown, options?: Encoding): unknown[] {
  const folder = pathOf(path);
  const wants = typeof options === 'object' && options !== null ? options : {};
  const names = call('list', { path: folder }).sort();
  const below = wants.recursive === true ? names.flatMap(name => deeper(folder, name)) : names;
  return wants.withFileTypes === true
    ? below.map(name => new Dirent(dirname(join(folder, name)), name.split('/').at(-1) ?? ''))
    : below;
}

function deeper(folder: string, name: string): string[] {
  if (call('lstat', { path: join(folder, name) }).type !== 'directory') return [name];
  return [name, ...(readdirSync(join(folder, name), { recursive: true }) as string[]).map(inner => `${name}/${inner}`)];
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

const calls = {
  readFileSync(path: unknown, options?: Encoding): string | Buffer {
    const bytes = path === 0 || path === '/dev/stdin' ? readStdin() : toBuffer(call('read', { path: pathOf(path) }));
    const encoding = encodingOf(options);
    return encoding === undefined ? bytes : bytes.toString(encoding as 'utf8');
  },
  writeFileSync(path: unknown, data: unknown, options?: Encoding): void {
    const target = pathOf(path);
    if (typeof options === 'object' && options?.flag === 'a') {
      calls.appendFileSync(path, data, options);
      return;
    }
    if (attempt(() => call('stat', { path: dirname(target) })) === undefined) {
      throw new HostError('ENOENT', `ENOENT: no such file or directory, open '${target}'`, target);
    }
    call('write', { path: target, bytes: bytesOf(data, options) });
  },
  appendFileSync(path: unknown, data: unknown, options?: Encoding): void {
    const target = pathOf(path);
    const before = attempt(() => call('read', { path: target })) ?? new Uint8Array(0);
    call('write', { path: target, bytes: Buffer.concat([before, bytesOf(data, options)]) });
  },
  existsSync: (path: unknown): boolean => attempt(() => call('stat', { path: pathOf(path) })) !== undefined,
  accessSync: (path: unknown): void => void call('stat', { path: pathOf(path) }),
  statSync(path: unknown, options?: { throwIfNoEntry?: boolean }): Stats | undefined {
    if (options?.throwIfNoEntry === false && !calls.existsSync(path)) return undefined;
    return new Stats(call('stat', { path: pathOf(path) }));
  },
  lstatSync: (path: unknown): Stats => new Stats(call('lstat', { path: pathOf(path) })),
  readdirSync,
  mkdirSync(path: unknown, options?: Encoding): void {
    const target = pathOf(path);
    const recursive = typeof options === 'object' && options?.recursive === true;
    if (recursive && calls.existsSync(target)) return;
    if (!recursive) call('stat', { path: dirname(target) });
    call('mkdir', { path: target });
  },
  rmSync(path: unknown, options?: Encoding): void {
    const wants = typeof options === 'object' && options !== null ? options : {};
    if (wants.force !== true) call('lstat', { path: pathOf(path) });
    call('remove', { path: pathOf(path) });
  },
  unlinkSync(path: unknown): void {
    call('lstat', { path: pathOf(path) });
    call('remove', { path: pathOf(path) });
  },
  rmdirSync(path: unknown): void {
    if (call('list', { path: pathOf(path) }).length > 0)
      throw new HostError('ENOTEMPTY', 'ENOTEMPTY: directory not empty', pathOf(path));
    call('remove', { path: pathOf(path) });
  },
  renameSync: (from: unknown, to: unknown) => void call('rename', { from: pathOf(from), to: pathOf(to) }),
  copyFileSync: (from: unknown, to: unknown) =>
    void call('write', { path: pathOf(to), bytes: call('read', { path: pathOf(from) }) }),
  symlinkSync: (target: string, path: unknown) => void call('symlink', { target, path: pathOf(path) }),
  readlinkSync: (path: unknown): string => call('readlink', { path: pathOf(path) }),
  realpathSync: (path: unknown): string => call('realpath', { path: pathOf(path) }),
  chmodSync: (path: unknown, mode: number) => void call('chmod', { path: pathOf(path), mode }),
  mkdtempSync(prefix: string): string {
    const path = pathOf(prefix + Math.random().toString(36).slice(2, 8));
    call('mkdir', { path });
    return path;
  },
};

function readStdin(): Buffer {
  const parts: Uint8Array[] = [];
  for (let part = call('stdin', {}); part !== null; part = call('stdin', {})) parts.push(part);
  return Buffer.concat(parts);
}

type Calls = Record<string, (...args: unknown[]) => unknown>;
export const promises: Calls = {};
const callbacks: Calls = {};
for (const [name, work] of Object.entries(calls as unknown as Calls)) {
  const short = name.replace(/Sync$/, '');
  const promised = async (...args: unknown[]): Promise<unknown> => work(...args);
  promises[short] = promised;
  callbacks[short] = (...args) => {
    const callback = args.pop() as (error: unknown, value?: unknown) => void;
    promised(...args).then(value => callback(null, value), callback);
  };
}

export const fs = { ...calls, ...callbacks, promises, constants: { F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1 } };
