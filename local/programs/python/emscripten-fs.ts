// What of Emscripten's file system is used here; it comes without types. Paths of its nodes, and its numbers.
import { posix } from 'node:path';
import type { FailureCode } from '../protocol.ts';

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

export const S_IFDIR = 0o040000;
export const S_IFREG = 0o100000;
export const S_IFLNK = 0o120000;
export const O_ACCMODE = 0o3;
export const O_TRUNC = 0o1000;
export const O_APPEND = 0o2000;
export const O_CREAT = 0o100;

/** WASI's numbers. */
export const ERRNO: Readonly<Record<FailureCode, number>> = {
  not_found: 44,
  already_exists: 20,
  invalid_argument: 28,
  permission_denied: 2,
  resource_exhausted: 51,
  interrupted: 27,
  failed: 29,
};
export const EISDIR = 31;
export const ENOTEMPTY = 55;

export function pathOf(node: Node): string {
  const names: string[] = [];
  let at = node;
  while (at.parent !== at) {
    names.unshift(at.name);
    at = at.parent;
  }
  return posix.join(at.mount.mountpoint, ...names);
}
