// The sandbox's files as Emscripten sees a file system, for the Python inside a worker. A file is read whole when opened
// and written whole when closed or synced. Runs in the worker; knows only the host's calls.
import { posix } from 'node:path';
import type { CallHost, Entry } from './protocol.ts';
import { HostFailure } from './protocol.ts';

// What of Emscripten's FS is used here; it comes without types.
export type Node = {
  id: number;
  name: string;
  mode: number;
  parent: Node;
  mount: { mountpoint: string };
  node_ops: object;
  stream_ops: object;
  timestamp: number;
};
type Stream = { node: Node; flags: number; position: number; file?: OpenFile };
type OpenFile = { bytes: Uint8Array; size: number; dirty: boolean; users: number };
export type EmscriptenFs = {
  ErrnoError: new (errno: number) => Error;
  createNode(parent: Node | null, name: string, mode: number, dev: number): Node;
  isDir(mode: number): boolean;
  isFile(mode: number): boolean;
  isLink(mode: number): boolean;
  mkdirTree(path: string): void;
  mount(type: object, options: object, path: string): void;
  analyzePath(path: string): { exists: boolean; object?: Node };
  writeFile(path: string, data: Uint8Array | string): void;
  chdir(path: string): void;
  makedev(major: number, minor: number): number;
  registerDevice(dev: number, ops: object): void;
  mkdev(path: string, mode: number, dev: number): void;
  open(path: string, flags: string | number): { fd: number };
  close(stream: object): void;
  getStream(fd: number): object | null;
};

const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;
const O_ACCMODE = 0o3;
const O_TRUNC = 0o1000;
const O_APPEND = 0o2000;
const O_CREAT = 0o100;

/** WASI's numbers. */
const ERRNO = {
  not_found: 44,
  already_exists: 20,
  invalid_argument: 28,
  permission_denied: 2,
  resource_exhausted: 51,
  interrupted: 27,
  failed: 29,
} as const;
const EISDIR = 31;
const ENOTEMPTY = 55;

export function sandboxFs(FS: EmscriptenFs, call: CallHost): object {
  /** Files open for reading or writing, by path: all who have one open see the same bytes. */
  const open = new Map<string, OpenFile>();

  const pathOf = (node: Node): string => {
    const names: string[] = [];
    let at = node;
    while (at.parent !== at) {
      names.unshift(at.name);
      at = at.parent;
    }
    return posix.join(at.mount.mountpoint, ...names);
  };
  const host = <T>(work: () => T): T => {
    try {
      return work();
    } catch (caught) {
      throw caught instanceof HostFailure ? new FS.ErrnoError(ERRNO[caught.code]) : caught;
    }
  };
  const create = (parent: Node | null, name: string, mode: number): Node => {
    const node = FS.createNode(parent, name, mode, 0);
    node.node_ops = nodeOps;
    node.stream_ops = streamOps;
    return node;
  };
  const flush = (path: string, file: OpenFile): void => {
    if (!file.dirty) return;
    host(() => call('write', { path, bytes: file.bytes.subarray(0, file.size) }));
    file.dirty = false;
  };
  const sizeOf = (path: string, entry: Entry): number => open.get(path)?.size ?? entry.sizeBytes;
  const resize = (file: OpenFile, size: number): void => {
    if (size > file.bytes.length) {
      const grown = new Uint8Array(Math.max(size, file.bytes.length * 2, 1024));
      grown.set(file.bytes.subarray(0, file.size));
      file.bytes = grown;
    } else if (size < file.size) {
      file.bytes.fill(0, size, file.size);
    }
    file.size = size;
    file.dirty = true;
  };

  const nodeOps = {
    getattr(node: Node) {
      const path = pathOf(node);
      const entry = host(() => call('lstat', { path }));
      node.mode = modeOf(entry);
      const time = new Date(entry.modifiedMs);
      const size = sizeOf(path, entry);
      return {
        dev: 1,
        ino: node.id,
        mode: node.mode,
        nlink: 1,
        uid: 1000,
        gid: 1000,
        rdev: 0,
        size,
        atime: time,
        mtime: time,
        ctime: time,
        blksize: 4096,
        blocks: Math.ceil(size / 4096),
      };
    },
    setattr(node: Node, attributes: { mode?: number; size?: number; mtime?: number; timestamp?: number }) {
      const path = pathOf(node);
      const { mode, size } = attributes;
      const modifiedMs = attributes.mtime ?? attributes.timestamp;
      if (mode !== undefined && mode !== null) host(() => call('chmod', { path, mode: mode & 0o7777 }));
      if (modifiedMs !== undefined && modifiedMs !== null)
        host(() => call('touch', { path, modifiedMs: Number(modifiedMs) }));
      if (size !== undefined && size !== null) {
        const file = open.get(path) ?? load(path);
        resize(file, size);
        flush(path, file);
      }
    },
    lookup(parent: Node, name: string) {
      const entry = host(() => call('lstat', { path: posix.join(pathOf(parent), name) }));
      return create(parent, name, modeOf(entry));
    },
    mknod(parent: Node, name: string, mode: number) {
      const path = posix.join(pathOf(parent), name);
      if (FS.isDir(mode)) host(() => call('mkdir', { path }));
      else host(() => call('write', { path, bytes: new Uint8Array(0), mode: mode & 0o7777 }));
      return create(parent, name, mode);
    },
    rename(node: Node, newParent: Node, newName: string) {
      const from = pathOf(node);
      const to = posix.join(pathOf(newParent), newName);
      const file = open.get(from);
      if (file !== undefined) flush(from, file);
      host(() => call('rename', { from, to }));
      if (file !== undefined) {
        open.delete(from);
        open.set(to, file);
      }
      node.name = newName;
    },
    unlink(parent: Node, name: string) {
      host(() => call('remove', { path: posix.join(pathOf(parent), name) }));
    },
    rmdir(parent: Node, name: string) {
      const path = posix.join(pathOf(parent), name);
      if (host(() => call('list', { path })).length > 0) throw new FS.ErrnoError(ENOTEMPTY);
      host(() => call('remove', { path }));
    },
    readdir(node: Node) {
      return ['.', '..', ...host(() => call('list', { path: pathOf(node) }))];
    },
    symlink(parent: Node, name: string, target: string) {
      host(() => call('symlink', { target, path: posix.join(pathOf(parent), name) }));
      return create(parent, name, S_IFLNK | 0o777);
    },
    readlink(node: Node) {
      return host(() => call('readlink', { path: pathOf(node) }));
    },
  };

  const load = (path: string): OpenFile => {
    const bytes = host(() => call('read', { path }));
    return { bytes, size: bytes.length, dirty: false, users: 0 };
  };
  const fileOf = (stream: Stream): OpenFile => {
    if (stream.file === undefined) throw new FS.ErrnoError(EISDIR);
    return stream.file;
  };

  const streamOps = {
    open(stream: Stream) {
      const path = pathOf(stream.node);
      if (FS.isDir(stream.node.mode)) return;
      let file = open.get(path);
      if (file === undefined) {
        const truncates = (stream.flags & O_TRUNC) !== 0 && (stream.flags & O_ACCMODE) !== 0;
        if (truncates) file = { bytes: new Uint8Array(0), size: 0, dirty: true, users: 0 };
        else if ((stream.flags & O_CREAT) !== 0) file = tryLoad(path, load);
        else file = load(path);
        open.set(path, file);
      }
      file.users += 1;
      stream.file = file;
    },
    close(stream: Stream) {
      if (stream.file === undefined) return;
      const path = pathOf(stream.node);
      flush(path, stream.file);
      stream.file.users -= 1;
      if (stream.file.users === 0) open.delete(path);
    },
    fsync(stream: Stream) {
      if (stream.file !== undefined) flush(pathOf(stream.node), stream.file);
      return 0;
    },
    read(stream: Stream, buffer: Uint8Array, offset: number, length: number, position: number) {
      const file = fileOf(stream);
      const part = file.bytes.subarray(position, Math.min(file.size, position + length));
      buffer.set(part, offset);
      return part.length;
    },
    write(stream: Stream, buffer: Uint8Array, offset: number, length: number, position: number) {
      const file = fileOf(stream);
      const at = (stream.flags & O_APPEND) !== 0 ? file.size : position;
      if (at + length > file.size) resize(file, at + length);
      file.bytes.set(buffer.subarray(offset, offset + length), at);
      file.dirty = true;
      return length;
    },
    llseek(stream: Stream, offset: number, whence: number) {
      const base = whence === 1 ? stream.position : whence === 2 ? fileOf(stream).size : 0;
      if (base + offset < 0) throw new FS.ErrnoError(ERRNO.invalid_argument);
      return base + offset;
    },
  };

  return {
    mount() {
      return create(null, '/', S_IFDIR | 0o777);
    },
    /** Before anyone else looks: what is open and changed. */
    syncAll() {
      for (const [path, file] of open) flush(path, file);
    },
  };
}

function tryLoad(path: string, load: (path: string) => OpenFile): OpenFile {
  try {
    return load(path);
  } catch {
    return { bytes: new Uint8Array(0), size: 0, dirty: true, users: 0 };
  }
}

function modeOf(entry: Entry): number {
  const kind = entry.type === 'directory' ? S_IFDIR : entry.type === 'symlink' ? S_IFLNK : S_IFREG;
  return kind | entry.mode;
}
