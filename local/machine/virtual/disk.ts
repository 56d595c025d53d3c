// The disk of a virtual sandbox: just-bash's in-memory file system, which in addition tells watchers of changes, knows
// /dev/null, and leads the paths of channels to processes.
import { randomBytes, randomUUID } from 'node:crypto';
import { type ByteString, type FileContent, type FsStat, InMemoryFs, unsafeBytesFromLatin1 } from 'just-bash';
import type { FileEvent } from '../machine.ts';
import { PASSWD, PASSWD_PATH } from '../users.ts';

const MAX_BYTES = 512 * 1024 * 1024;
const CHANNELS = '/dev/.channels/';
const OS_RELEASE = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm), simulated"\nID=debian\nVERSION_ID="12"\n';
const BOOT_ID_PATH = '/proc/sys/kernel/random/boot_id';
const DIRECTORIES =
  '/home/user /root /tmp /bin /usr/bin /usr/local/bin /etc /var/log /opt /dev /proc/sys/kernel/random'.split(' ');

/** What is read from its path and written to it goes elsewhere. */
export type Device = { read(): Promise<Buffer>; write(bytes: Buffer): Promise<void> };
type Encoding = Parameters<InMemoryFs['writeFile']>[2];
type Attributes = { uid?: number; metadata?: Readonly<Record<string, string>> | undefined };
/** A redirection reads a file whole: of an endless one it gets this much (head -c and dd get what they ask for). */
const DEVICE_BYTES = 1024 * 1024;
const DEVICES: readonly (readonly [path: string, read: Device['read']])[] = [
  ['/dev/null', async () => Buffer.alloc(0)],
  ['/dev/zero', async () => Buffer.alloc(DEVICE_BYTES)],
  ['/dev/urandom', async () => randomBytes(DEVICE_BYTES)],
  ['/dev/random', async () => randomBytes(DEVICE_BYTES)],
];
const device = ({ read = async () => Buffer.alloc(0), write = async () => {} }: Partial<Device>) => ({ read, write });

/** What a folder takes on the real thing's disk. */
const FOLDER_BYTES = 4_096;

export class Disk extends InMemoryFs {
  /** Folders that only their owner may enter. */
  readonly closedFolders = new Set<string>();
  readonly #watchers = new Set<(event: FileEvent) => void>();
  readonly #devices = new Map<string, Device>(DEVICES.map(([path, read]) => [path, device({ read })]));
  /** Owner and metadata of each path; they go with it. Without an owner here: the one of the folder's home, else root. */
  readonly #attributes = new Map<string, Attributes>();
  /** just-bash moves a folder piece by piece: watchers see the whole. */
  readonly #moving = new Set<string>();

  /** `empty`: nothing but the root, for a volume. */
  constructor(what: 'sandbox' | 'empty' = 'sandbox') {
    super({}, { maxTotalBytes: MAX_BYTES });
    if (what === 'empty') return;
    for (const path of DIRECTORIES) this.mkdirSync(path, { recursive: true });
    // Their bodies wait for nothing, so this is done at once.
    void super.chmod('/root', 0o700);
    void super.chmod('/tmp', 0o1777);
    this.closedFolders.add('/root');
    this.writeFileSync(PASSWD_PATH, PASSWD);
    this.writeFileSync('/etc/os-release', OS_RELEASE);
    this.writeFileSync('/etc/hostname', 'e2b.local\n');
    this.writeFileSync(BOOT_ID_PATH, `${randomUUID()}\n`);
  }

  /** Without telling anybody: whose a path is that has just been made. */
  give(path: string, uid: number): void {
    this.#attributes.set(path, { ...this.#attributes.get(path), uid });
  }

  uidOf(path: string): number {
    return this.#attributes.get(path)?.uid ?? (/^\/home\/user(\/|$)/.test(path) ? 1000 : 0);
  }

  chown(path: string, uid: number): void {
    this.give(path, uid);
    this.#tell('chmod', path);
  }

  metadataOf(path: string): Readonly<Record<string, string>> | undefined {
    return this.#attributes.get(path)?.metadata;
  }

  setMetadata(path: string, metadata: Readonly<Record<string, string>>): void {
    const had = this.#attributes.get(path);
    const some = Object.keys(metadata).length > 0;
    this.#attributes.set(path, { ...had, metadata: some ? metadata : undefined });
    if (some || had?.metadata !== undefined) this.#tell('chmod', path);
  }

  /** What a boot makes anew. */
  rebooted(): void {
    this.writeFileSync(BOOT_ID_PATH, `${randomUUID()}\n`);
  }

  /** The returned function stops it. */
  onChange(listener: (event: FileEvent) => void): () => void {
    this.#watchers.add(listener);
    return () => this.#watchers.delete(listener);
  }

  /** A path that leads to a process. */
  channel(name: string, ends: Partial<Device>): string {
    this.#devices.set(CHANNELS + name, device(ends));
    return CHANNELS + name;
  }

  closeChannel(path: string): void {
    this.#devices.delete(path);
  }

  /** A disk of its own with the same content. */
  async clone(): Promise<Disk> {
    const copy = new Disk();
    for (const [path, attributes] of this.#attributes) copy.#attributes.set(path, attributes);
    for (const path of this.getAllPaths().filter(each => !each.startsWith('/dev/'))) {
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

  override writeFile(path: string, content: FileContent, options?: Encoding): Promise<void> {
    return this.#put(path, content, options, () => super.writeFile(path, content, options));
  }

  override appendFile(path: string, content: FileContent, options?: Encoding): Promise<void> {
    return this.#put(path, content, options, () => super.appendFile(path, content, options));
  }

  async #put(path: string, content: FileContent, options: Encoding, put: () => Promise<void>): Promise<void> {
    const device = this.#devices.get(path);
    if (device !== undefined) return content.length === 0 ? undefined : device.write(toBytes(content, options));
    if (path.startsWith(CHANNELS)) return;
    const there = await super.exists(path);
    await put();
    if (!there) this.#tell('create', path);
    if (there || content.length > 0) this.#tell('write', path);
  }

  override async mkdir(path: string, options?: { recursive?: boolean }): Promise<void> {
    const there = await super.exists(path);
    await super.mkdir(path, options);
    if (!there) this.#tell('create', path);
  }

  override async rm(path: string, options?: { recursive?: boolean; force?: boolean }): Promise<void> {
    const there = await super.lstat(path).catch(() => undefined);
    await super.rm(path, options);
    this.#forget(path);
    if (there !== undefined) this.#tell('remove', path);
  }

  override async mv(source: string, destination: string): Promise<void> {
    if (this.#isMoving(source)) return super.mv(source, destination);
    this.#forget(destination);
    for (const root of [source, destination]) this.#moving.add(root);
    await super.mv(source, destination).finally(() => {
      for (const root of [source, destination]) this.#moving.delete(root);
    });
    const moved = this.#forget(source);
    for (const [path, attributes] of moved) {
      this.#attributes.set(destination + path.slice(source.length), attributes);
    }
    this.#tell('rename', source);
    this.#tell('create', destination);
  }

  override async chmod(path: string, mode: number): Promise<void> {
    await super.chmod(path, mode);
    if ((mode & 0o001) === 0 && (await super.stat(path)).isDirectory) this.closedFolders.add(path);
    else this.closedFolders.delete(path);
    this.#tell('chmod', path);
  }

  override async symlink(target: string, path: string): Promise<void> {
    await super.symlink(target, path);
    this.#tell('create', path);
  }

  override async readFileBytes(path: string): Promise<ByteString> {
    return unsafeBytesFromLatin1(Buffer.from(await this.readFileBuffer(path)).toString('latin1'));
  }

  override async readFileBuffer(path: string): Promise<Uint8Array> {
    return this.#devices.get(path)?.read() ?? super.readFileBuffer(path);
  }

  override stat(path: string): Promise<FsStat> {
    return super.stat(path).then(withSize);
  }

  override lstat(path: string): Promise<FsStat> {
    return super.lstat(path).then(withSize);
  }

  /** The attributes of a path and of all below it, which are gone from here. */
  #forget(root: string): [string, Attributes][] {
    const found = Array.from(this.#attributes).filter(([path]) => path === root || path.startsWith(`${root}/`));
    for (const [path] of found) this.#attributes.delete(path);
    return found;
  }

  #isMoving(path: string): boolean {
    return Array.from(this.#moving).some(root => path === root || path.startsWith(`${root}/`));
  }

  #tell(kind: FileEvent['kind'], path: string): void {
    if (path.startsWith('/dev/') || this.#isMoving(path)) return;
    for (const listener of this.#watchers) listener({ kind, path });
  }
}

function toBytes(content: FileContent, options: Encoding): Buffer {
  if (typeof content !== 'string') return Buffer.from(content);
  const encoding = typeof options === 'string' ? options : options?.encoding;
  return Buffer.from(content, encoding === 'binary' || encoding === 'latin1' ? 'latin1' : 'utf8');
}

const withSize = (stat: FsStat): FsStat => (stat.isDirectory ? { ...stat, size: FOLDER_BYTES } : stat);
