// What of Emscripten's file system is used here; it comes without types.

/** `contents` and `usedBytes` are those of MEMFS, its file system in memory. */
export type Node = {
  id: number;
  name: string;
  mode: number;
  parent: Node;
  contents: Uint8Array | null;
  usedBytes: number;
};
export type Stream = { node: Node };
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
