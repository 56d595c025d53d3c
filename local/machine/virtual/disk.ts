// The disk of a virtual sandbox: just-bash's in-memory file system, which in addition tells watchers of changes, knows
// /dev/null, and leads the paths of channels to processes.
import { type ByteString, type FileContent, InMemoryFs, unsafeBytesFromLatin1 } from 'just-bash';
import type { FileEvent } from '../machine.ts';

const MAX_BYTES = 512 * 1024 * 1024;
export const CHANNELS = '/dev/.channels/';
const DIRECTORIES = [
  '/home/user',
  '/root',
  '/tmp',
  '/bin',
  '/usr/bin',
  '/usr/local/bin',
  '/etc',
  '/var/log',
  '/opt',
  '/dev',
  '/proc',
];

export type Sink = (bytes: Buffer) => Promise<void>;
export type Source = () => Promise<Buffer>;
type Encoding = Parameters<InMemoryFs['writeFile']>[2];

export class Disk extends InMemoryFs {
  readonly #watchers = new Set<(event: FileEvent) => void>();
  readonly #sinks = new Map<string, Sink>();
  readonly #sources = new Map<string, Source>();

  constructor() {
    super({}, { maxTotalBytes: MAX_BYTES });
    for (const path of DIRECTORIES) this.mkdirSync(path, { recursive: true });
  }

  /** The returned function stops it. */
  onChange(listener: (event: FileEvent) => void): () => void {
    this.#watchers.add(listener);
    return () => this.#watchers.delete(listener);
  }

  channel(name: string, end: { sink: Sink } | { source: Source }): string {
    const path = CHANNELS + name;
    if ('sink' in end) this.#sinks.set(path, end.sink);
    else this.#sources.set(path, end.source);
    return path;
  }

  closeChannel(path: string): void {
    this.#sinks.delete(path);
    this.#sources.delete(path);
  }

  /** A disk of its own with the same content. */
  async clone(): Promise<Disk> {
    const copy = new Disk();
    for (const path of this.getAllPaths()) {
      const stat = await this.lstat(path);
      if (stat.isDirectory) await copy.mkdir(path, { recursive: true });
      else if (stat.isSymbolicLink) await copy.symlink(await this.readlink(path), path).catch(() => {});
      else await copy.writeFile(path, (await this.readFileBuffer(path)).slice());
      if (!stat.isSymbolicLink) {
        await copy.chmod(path, stat.mode);
        await copy.utimes(path, stat.mtime, stat.mtime);
      }
    }
    return copy;
  }

  override async writeFile(path: string, content: FileContent, options?: Encoding): Promise<void> {
    if (await this.#device(path, content, options)) return;
    const kind = (await super.exists(path)) ? 'write' : 'create';
    await super.writeFile(path, content, options);
    this.#tell(kind, path);
  }

  override async appendFile(path: string, content: FileContent, options?: Encoding): Promise<void> {
    if (await this.#device(path, content, options)) return;
    const kind = (await super.exists(path)) ? 'write' : 'create';
    await super.appendFile(path, content, options);
    this.#tell(kind, path);
  }

  override async mkdir(path: string, options?: { recursive?: boolean }): Promise<void> {
    const there = await super.exists(path);
    await super.mkdir(path, options);
    if (!there) this.#tell('create', path);
  }

  override async rm(path: string, options?: { recursive?: boolean; force?: boolean }): Promise<void> {
    const there = await super.lstat(path).catch(() => undefined);
    await super.rm(path, options);
    if (there !== undefined) this.#tell('remove', path);
  }

  override async mv(source: string, destination: string): Promise<void> {
    await super.mv(source, destination);
    this.#tell('rename', source);
    this.#tell('create', destination);
  }

  override async chmod(path: string, mode: number): Promise<void> {
    await super.chmod(path, mode);
    this.#tell('chmod', path);
  }

  override async symlink(target: string, path: string): Promise<void> {
    await super.symlink(target, path);
    this.#tell('create', path);
  }

  override async readFileBytes(path: string): Promise<ByteString> {
    if (path === '/dev/null') return unsafeBytesFromLatin1('');
    const source = this.#sources.get(path);
    return source === undefined
      ? super.readFileBytes(path)
      : unsafeBytesFromLatin1((await source()).toString('latin1'));
  }

  override async readFileBuffer(path: string): Promise<Uint8Array> {
    if (path === '/dev/null') return new Uint8Array(0);
    const source = this.#sources.get(path);
    return source === undefined ? super.readFileBuffer(path) : source();
  }

  /** True when the content went to a device rather than into a file. */
  async #device(path: string, content: FileContent, options: Encoding): Promise<boolean> {
    if (path === '/dev/null') return true;
    if (!path.startsWith(CHANNELS)) return false;
    const sink = this.#sinks.get(path);
    if (sink !== undefined && content.length > 0) await sink(toBytes(content, options));
    return true;
  }

  #tell(kind: FileEvent['kind'], path: string): void {
    if (path.startsWith('/dev/')) return;
    for (const listener of this.#watchers) listener({ kind, path });
  }
}

function toBytes(content: FileContent, options: Encoding): Buffer {
  if (typeof content !== 'string') return Buffer.from(content);
  const encoding = typeof options === 'string' ? options : options?.encoding;
  return Buffer.from(content, encoding === 'binary' || encoding === 'latin1' ? 'latin1' : 'utf8');
}
