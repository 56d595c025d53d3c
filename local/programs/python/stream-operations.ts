// What Emscripten asks of an open file: bytes, the position in them, and its end.
import { EISDIR, type EmscriptenFs, ERRNO, type Node, O_APPEND, pathOf } from './emscripten-fs.ts';
import { type OpenFile, type OpenFiles, resize } from './open-files.ts';

type Stream = { node: Node; flags: number; position: number; file?: OpenFile };

/** Functions, not methods: Emscripten may take them off the object before it calls them. */
export class StreamOperations {
  readonly #FS: EmscriptenFs;
  readonly #files: OpenFiles;

  constructor(FS: EmscriptenFs, files: OpenFiles) {
    this.#FS = FS;
    this.#files = files;
  }

  readonly open = (stream: Stream): void => {
    if (this.#FS.isDir(stream.node.mode)) return;
    stream.file = this.#files.open(pathOf(stream.node), stream.flags);
  };

  readonly close = (stream: Stream): void => {
    if (stream.file !== undefined) this.#files.close(pathOf(stream.node), stream.file);
  };

  readonly fsync = (stream: Stream): number => {
    if (stream.file !== undefined) this.#files.flush(pathOf(stream.node), stream.file);
    return 0;
  };

  readonly read = (stream: Stream, buffer: Uint8Array, offset: number, length: number, position: number): number => {
    const file = this.#fileOf(stream);
    const part = file.bytes.subarray(position, Math.min(file.size, position + length));
    buffer.set(part, offset);
    return part.length;
  };

  readonly write = (stream: Stream, buffer: Uint8Array, offset: number, length: number, position: number): number => {
    const file = this.#fileOf(stream);
    const at = (stream.flags & O_APPEND) !== 0 ? file.size : position;
    if (at + length > file.size) resize(file, at + length);
    file.bytes.set(buffer.subarray(offset, offset + length), at);
    file.dirty = true;
    return length;
  };

  readonly llseek = (stream: Stream, offset: number, whence: number): number => {
    const base = whence === 1 ? stream.position : whence === 2 ? this.#fileOf(stream).size : 0;
    if (base + offset < 0) throw new this.#FS.ErrnoError(ERRNO.invalid_argument);
    return base + offset;
  };

  #fileOf({ file }: Stream): OpenFile {
    if (file === undefined) throw new this.#FS.ErrnoError(EISDIR);
    return file;
  }
}
