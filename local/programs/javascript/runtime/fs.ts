// Node's fs over the sandbox's files: the synchronous calls, and the same with promises and callbacks.
import posix from 'path-browserify';
import type { FileStat } from '../../../machine/machine.ts';
import { Buffer, bytesOf, toBuffer } from './buffer.ts';
import { call, HostError, readStdin } from './host.ts';

const { basename, dirname, join, resolve } = posix;

type Options = {
  encoding?: string | null;
  flag?: string;
  recursive?: boolean;
  withFileTypes?: boolean;
  force?: boolean;
  throwIfNoEntry?: boolean;
};
type Given = string | Options | null | undefined;

function optionsOf(given: Given): Options {
  return typeof given === 'string' ? { encoding: given } : (given ?? {});
}

function pathOf(path: unknown): string {
  if (typeof path === 'string') return resolve(path);
  if (path instanceof Uint8Array) return resolve(toBuffer(path).toString());
  const href = typeof path === 'object' && path !== null && 'href' in path ? String(path.href) : '';
  if (href.startsWith('file://')) return decodeURIComponent(href.slice(7));
  throw new TypeError('The "path" argument must be a string, a Buffer or a file URL');
}

const FORMATS = { directory: 0o040000, file: 0o100000, symlink: 0o120000 };

function statsOf({ type, sizeBytes, mode, modifiedMs }: FileStat) {
  const time = new Date(modifiedMs);
  return {
    ...{ size: sizeBytes, mode: mode | FORMATS[type], mtimeMs: modifiedMs, mtime: time, ctime: time, birthtime: time },
    isFile: () => type === 'file',
    isDirectory: () => type === 'directory',
    isSymbolicLink: () => type === 'symlink',
  };
}

const lstat = (path: unknown) => statsOf(call('lstat', { path: pathOf(path) }));

function readdirSync(path: unknown, given?: Given): unknown[] {
  const folder = pathOf(path);
  const { recursive, withFileTypes } = optionsOf(given);
  const names = call('list', { path: folder }).sort();
  const below = recursive === true ? names.flatMap(name => deeper(folder, name)) : names;
  if (withFileTypes !== true) return below;
  return below.map(name => {
    const file = join(folder, name);
    return Object.assign(lstat(file), { name: basename(file), parentPath: dirname(file) });
  });
}

function deeper(folder: string, name: string): string[] {
  if (!lstat(join(folder, name)).isDirectory()) return [name];
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
  readFileSync(path: unknown, given?: Given): string | Buffer {
    const bytes =
      path === 0 || path === '/dev/stdin' ? Buffer.concat(readStdin()) : toBuffer(call('read', { path: pathOf(path) }));
    const { encoding } = optionsOf(given);
    return encoding == null ? bytes : bytes.toString(encoding as 'utf8');
  },
  writeFileSync(path: unknown, data: unknown, given?: Given): void {
    const target = pathOf(path);
    if (optionsOf(given).flag === 'a') {
      calls.appendFileSync(path, data, given);
      return;
    }
    if (attempt(() => call('stat', { path: dirname(target) })) === undefined) {
      throw new HostError('ENOENT', `ENOENT: no such file or directory, open '${target}'`, target);
    }
    call('write', { path: target, bytes: bytesOf(data, optionsOf(given).encoding) });
  },
  appendFileSync(path: unknown, data: unknown, given?: Given): void {
    const target = pathOf(path);
    const before = attempt(() => call('read', { path: target })) ?? new Uint8Array(0);
    call('write', { path: target, bytes: Buffer.concat([before, bytesOf(data, optionsOf(given).encoding)]) });
  },
  existsSync: (path: unknown): boolean => attempt(() => call('stat', { path: pathOf(path) })) !== undefined,
  accessSync: (path: unknown): void => void call('stat', { path: pathOf(path) }),
  statSync(path: unknown, given?: Options) {
    if (given?.throwIfNoEntry === false && !calls.existsSync(path)) return undefined;
    return statsOf(call('stat', { path: pathOf(path) }));
  },
  lstatSync: lstat,
  readdirSync,
  mkdirSync(path: unknown, given?: Given): void {
    const target = pathOf(path);
    const { recursive } = optionsOf(given);
    if (recursive === true && calls.existsSync(target)) return;
    if (recursive !== true) call('stat', { path: dirname(target) });
    call('mkdir', { path: target });
  },
  rmSync(path: unknown, given?: Given): void {
    if (optionsOf(given).force !== true) lstat(path);
    call('remove', { path: pathOf(path) });
  },
  unlinkSync: (path: unknown): void => calls.rmSync(path),
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
