// Files that Python has open, by path: all who have one open see the same bytes. A file is read whole when opened and
// written whole when closed or synced. Knows the host's calls, nothing of Emscripten's nodes and streams.

import type { CallHost } from '../protocol.ts';
import { O_ACCMODE, O_CREAT, O_TRUNC } from './emscripten-fs.ts';

export type OpenFile = { bytes: Uint8Array; size: number; dirty: boolean; users: number };

export class OpenFiles {
  readonly #call: CallHost;
  readonly #files = new Map<string, OpenFile>();

  constructor(call: CallHost) {
    this.#call = call;
  }

  open(path: string, flags: number): OpenFile {
    const file = this.#files.get(path) ?? this.#begin(path, flags);
    this.#files.set(path, file);
    file.users += 1;
    return file;
  }

  close(path: string, file: OpenFile): void {
    this.flush(path, file);
    file.users -= 1;
    if (file.users === 0) this.#files.delete(path);
  }

  flush(path: string, file: OpenFile): void {
    if (!file.dirty) return;
    this.#call('write', { path, bytes: file.bytes.subarray(0, file.size) });
    file.dirty = false;
  }

  flushAll(): void {
    for (const [path, file] of this.#files) this.flush(path, file);
  }

  /** Undefined: not open. */
  sizeOf(path: string): number | undefined {
    return this.#files.get(path)?.size;
  }

  /** Open or not. */
  truncate(path: string, size: number): void {
    const file = this.#files.get(path) ?? this.#load(path);
    resize(file, size);
    this.flush(path, file);
  }

  /** `move` moves it on the host. */
  rename(from: string, to: string, move: () => void): void {
    const file = this.#files.get(from);
    if (file !== undefined) this.flush(from, file);
    move();
    if (file === undefined) return;
    this.#files.delete(from);
    this.#files.set(to, file);
  }

  #begin(path: string, flags: number): OpenFile {
    const truncates = (flags & O_TRUNC) !== 0 && (flags & O_ACCMODE) !== 0;
    if (truncates) return fresh();
    if ((flags & O_CREAT) === 0) return this.#load(path);
    try {
      return this.#load(path);
    } catch {
      return fresh();
    }
  }

  #load(path: string): OpenFile {
    const bytes = this.#call('read', { path });
    return { bytes, size: bytes.length, dirty: false, users: 0 };
  }
}

const fresh = (): OpenFile => ({ bytes: new Uint8Array(0), size: 0, dirty: true, users: 0 });

export function resize(file: OpenFile, size: number): void {
  if (size > file.bytes.length) {
    const grown = new Uint8Array(Math.max(size, file.bytes.length * 2, 1024));
    grown.set(file.bytes.subarray(0, file.size));
    file.bytes = grown;
  } else if (size < file.size) {
    file.bytes.fill(0, size, file.size);
  }
  file.size = size;
  file.dirty = true;
}
