// The sandbox's files as Emscripten sees a file system, for the Python inside a worker. The host keeps them; while a file
// is open its node has the bytes, as those of MEMFS have: read whole when opened, written whole when closed or synced.
import { posix } from 'node:path';
import { Failure, type FailureCode } from '../../machine/failure.ts';
import type { FileStat } from '../../machine/machine.ts';
import type { CallHost } from '../host-calls.ts';

/** Of Emscripten's file systems, which come without types. `contents` and `usedBytes` are those of the one in memory. */
type Node = {
  id: number;
  name: string;
  mode: number;
  parent: Node;
  contents: Uint8Array | null;
  usedBytes: number;
};
type Stream = { node: Node };
type StreamOperations = {
  write(stream: Stream, buffer: Uint8Array, offset: number, length: number, position: number): number;
};

export type EmscriptenFs = {
  root: Node & { node_ops: object };
  ErrnoError: new (errno: number) => Error;
  filesystems: { MEMFS: { stream_ops: StreamOperations; resizeFileStorage(node: Node, size: number): void } };
  createNode(parent: Node, name: string, mode: number, dev: number): Node;
  isDir(mode: number): boolean;
  isFile(mode: number): boolean;
  mkdirTree(path: string): void;
  rmdir(path: string): void;
  writeFile(path: string, data: Uint8Array | string): void;
  chdir(path: string): void;
  makedev(major: number, minor: number): number;
  registerDevice(dev: number, ops: object): void;
  mkdev(path: string, mode: number, dev: number): void;
  open(path: string, flags: string | number): { fd: number };
  close(stream: object): void;
  getStream(fd: number): object | null;
};

type FileNode = Node & { users: number; changed: boolean };
type Attributes = { mode?: number | null; size?: number | null; mtime?: number | null; timestamp?: number | null };

const KINDS = { directory: 0o040000, file: 0o100000, symlink: 0o120000 };
/** WASI's numbers. */
const ERRNO: Readonly<Partial<Record<FailureCode, number>>> = {
  not_found: 44,
  already_exists: 20,
  invalid_argument: 28,
  permission_denied: 2,
  resource_exhausted: 51,
  interrupted: 27,
};
const ENOTEMPTY = 55;
const EIO = 29;

/**
 * From here on the root and all that is not yet in it are the sandbox's. The function returned writes what is open and
 * changed, before anyone else looks at it.
 */
export function showSandbox(FS: EmscriptenFs, callHost: CallHost): () => void {
  const call = withErrno(FS, callHost);
  const { MEMFS } = FS.filesystems;
  const opened = new Set<FileNode>();

  const make = (parent: Node, name: string, mode: number): FileNode =>
    Object.assign(FS.createNode(parent, name, mode, 0), {
      node_ops: nodeOperations,
      stream_ops: streamOperations,
      contents: null,
      usedBytes: 0,
      users: 0,
      changed: false,
    });
  const load = (node: FileNode): void => {
    node.contents = call('read', { path: pathOf(node) });
    node.usedBytes = node.contents.length;
  };
  const save = (node: FileNode): void => {
    if (!node.changed) return;
    const { buffer, byteOffset } = node.contents ?? new Uint8Array(0);
    call('write', { path: pathOf(node), bytes: new Uint8Array(buffer, byteOffset, node.usedBytes) });
    node.changed = false;
  };
  const resize = (node: FileNode, size: number): void => {
    if (node.users === 0 && size > 0) load(node);
    MEMFS.resizeFileStorage(node, size);
    node.changed = true;
    save(node);
  };

  const nodeOperations = {
    getattr(node: FileNode) {
      const entry = call('lstat', { path: pathOf(node) });
      node.mode = modeOf(entry);
      const size = node.users > 0 ? node.usedBytes : entry.sizeBytes;
      const time = new Date(entry.modifiedMs);
      return {
        ...{ dev: 1, ino: node.id, mode: node.mode, nlink: 1, uid: 1000, gid: 1000, rdev: 0, size },
        ...{ atime: time, mtime: time, ctime: time, blksize: 4096, blocks: Math.ceil(size / 4096) },
      };
    },
    setattr(node: FileNode, { mode, size, mtime, timestamp }: Attributes): void {
      const path = pathOf(node);
      const modifiedMs = mtime ?? timestamp;
      if (mode != null) call('chmod', { path, mode: mode & 0o7777 });
      if (modifiedMs != null) call('touch', { path, modifiedMs: Number(modifiedMs) });
      if (size != null) resize(node, size);
    },
    lookup: (parent: Node, name: string): Node =>
      make(parent, name, modeOf(call('lstat', { path: within(parent, name) }))),
    mknod(parent: Node, name: string, mode: number): Node {
      const path = within(parent, name);
      if (FS.isDir(mode)) call('mkdir', { path });
      else call('write', { path, bytes: new Uint8Array(0), mode: mode & 0o7777 });
      return make(parent, name, mode);
    },
    rename(node: FileNode, newParent: Node, newName: string): void {
      save(node);
      call('rename', { from: pathOf(node), to: within(newParent, newName) });
      node.name = newName;
    },
    unlink: (parent: Node, name: string) => call('remove', { path: within(parent, name) }),
    rmdir(parent: Node, name: string): void {
      const path = within(parent, name);
      if (call('list', { path }).length > 0) throw new FS.ErrnoError(ENOTEMPTY);
      call('remove', { path });
    },
    readdir: (node: Node): string[] => ['.', '..', ...call('list', { path: pathOf(node) })],
    symlink(parent: Node, name: string, target: string): Node {
      call('symlink', { target, path: within(parent, name) });
      return make(parent, name, KINDS.symlink | 0o777);
    },
    readlink: (node: Node): string => call('readlink', { path: pathOf(node) }),
  };

  const streamOperations = {
    ...MEMFS.stream_ops,
    open({ node }: Stream & { node: FileNode }): void {
      if (!FS.isFile(node.mode)) return;
      if (node.users === 0) load(node);
      node.users += 1;
      opened.add(node);
    },
    close({ node }: Stream & { node: FileNode }): void {
      if (!FS.isFile(node.mode)) return;
      save(node);
      node.users -= 1;
      if (node.users > 0) return;
      node.contents = null;
      opened.delete(node);
    },
    fsync({ node }: Stream & { node: FileNode }): number {
      save(node);
      return 0;
    },
    write(...args: Parameters<typeof MEMFS.stream_ops.write>): number {
      (args[0].node as FileNode).changed = true;
      return MEMFS.stream_ops.write(...args);
    },
  };

  for (const folder of ['/tmp', '/home/web_user', '/home']) FS.rmdir(folder);
  FS.root.node_ops = nodeOperations;
  return () => opened.forEach(save);
}

function pathOf(node: Node): string {
  return node.parent === node ? '/' : posix.join(pathOf(node.parent), node.name);
}

const within = (parent: Node, name: string): string => posix.join(pathOf(parent), name);

const modeOf = ({ type, mode }: FileStat): number => KINDS[type] | mode;

/** The host's refusals as Emscripten's errors. */
function withErrno(FS: EmscriptenFs, call: CallHost): CallHost {
  return (op, args) => {
    try {
      return call(op, args);
    } catch (caught) {
      throw caught instanceof Failure ? new FS.ErrnoError(ERRNO[caught.code] ?? EIO) : caught;
    }
  };
}
