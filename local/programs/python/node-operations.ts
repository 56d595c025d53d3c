// What Emscripten asks of a node: what it is, what is in it, changes to the tree. Answered by the sandbox's files.
import { posix } from 'node:path';
import type { CallHost, Entry } from '../protocol.ts';
import { type EmscriptenFs, ENOTEMPTY, type Node, pathOf, S_IFDIR, S_IFLNK, S_IFREG } from './emscripten-fs.ts';
import type { OpenFiles } from './open-files.ts';

type Attributes = { mode?: number | null; size?: number | null; mtime?: number | null; timestamp?: number | null };
type MakeNode = (parent: Node, name: string, mode: number) => Node;

/** Functions, not methods: Emscripten may take them off the object before it calls them. */
export class NodeOperations {
  readonly #FS: EmscriptenFs;
  readonly #call: CallHost;
  readonly #files: OpenFiles;
  readonly #make: MakeNode;

  constructor(FS: EmscriptenFs, call: CallHost, files: OpenFiles, make: MakeNode) {
    this.#FS = FS;
    this.#call = call;
    this.#files = files;
    this.#make = make;
  }

  readonly getattr = (node: Node) => {
    const path = pathOf(node);
    const entry = this.#call('lstat', { path });
    node.mode = modeOf(entry);
    const time = new Date(entry.modifiedMs);
    const size = this.#files.sizeOf(path) ?? entry.sizeBytes;
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
  };

  readonly setattr = (node: Node, { mode, size, mtime, timestamp }: Attributes): void => {
    const path = pathOf(node);
    const modifiedMs = mtime ?? timestamp ?? undefined;
    if (mode !== undefined && mode !== null) this.#call('chmod', { path, mode: mode & 0o7777 });
    if (modifiedMs !== undefined) this.#call('touch', { path, modifiedMs: Number(modifiedMs) });
    if (size !== undefined && size !== null) this.#files.truncate(path, size);
  };

  readonly lookup = (parent: Node, name: string): Node => {
    const entry = this.#call('lstat', { path: within(parent, name) });
    return this.#make(parent, name, modeOf(entry));
  };

  readonly mknod = (parent: Node, name: string, mode: number): Node => {
    const path = within(parent, name);
    if (this.#FS.isDir(mode)) this.#call('mkdir', { path });
    else this.#call('write', { path, bytes: new Uint8Array(0), mode: mode & 0o7777 });
    return this.#make(parent, name, mode);
  };

  readonly rename = (node: Node, newParent: Node, newName: string): void => {
    const from = pathOf(node);
    const to = within(newParent, newName);
    this.#files.rename(from, to, () => this.#call('rename', { from, to }));
    node.name = newName;
  };

  readonly unlink = (parent: Node, name: string): void => {
    this.#call('remove', { path: within(parent, name) });
  };

  readonly rmdir = (parent: Node, name: string): void => {
    const path = within(parent, name);
    if (this.#call('list', { path }).length > 0) throw new this.#FS.ErrnoError(ENOTEMPTY);
    this.#call('remove', { path });
  };

  readonly readdir = (node: Node): string[] => ['.', '..', ...this.#call('list', { path: pathOf(node) })];

  readonly symlink = (parent: Node, name: string, target: string): Node => {
    this.#call('symlink', { target, path: within(parent, name) });
    return this.#make(parent, name, S_IFLNK | 0o777);
  };

  readonly readlink = (node: Node): string => this.#call('readlink', { path: pathOf(node) });
}

const within = (parent: Node, name: string): string => posix.join(pathOf(parent), name);

function modeOf(entry: Entry): number {
  const kind = entry.type === 'directory' ? S_IFDIR : entry.type === 'symlink' ? S_IFLNK : S_IFREG;
  return kind | entry.mode;
}
