// `sbx.files`, as in the SDK.
import { bytesOf, type Call, dataOf, hint, type Options, plain, revive } from './calls.ts';

type Entry = { readonly path?: unknown; readonly data?: unknown };

export class Files {
  readonly #call: Call;
  readonly #sandboxId: string;

  constructor(call: Call, sandboxId: string) {
    this.#call = call;
    this.#sandboxId = sandboxId;
  }

  #ask(method: string, args: object, options: unknown): Promise<unknown> {
    return this.#call(`files.${method}`, { sandboxId: this.#sandboxId, ...args, opts: plain(options) });
  }

  async read(path: unknown, options?: unknown): Promise<unknown> {
    const content = (await this.#ask('read', { path }, options)) as string;
    return (options as Options | undefined)?.format === 'bytes' ? bytesOf(content) : content;
  }

  write(pathOrEntries: unknown, dataOrOptions?: unknown, options?: unknown): Promise<unknown> {
    if (Array.isArray(pathOrEntries)) return this.#writeAll(pathOrEntries, dataOrOptions);
    if (typeof pathOrEntries !== 'string') {
      throw new TypeError('Use files.write(path, data) or files.write([{ path, data }, …]).');
    }
    const files = [{ path: pathOrEntries, data: dataOf(dataOrOptions, 'files.write(path, data): data') }];
    return this.#ask('write', { files, single: true }, options);
  }

  writeFiles(entries: unknown, options?: unknown): Promise<unknown> {
    if (!Array.isArray(entries)) throw new TypeError('Use files.writeFiles([{ path, data }, …]).');
    return this.#writeAll(entries, options);
  }

  async #writeAll(entries: readonly Entry[], options: unknown): Promise<unknown> {
    if (entries.length === 0) return [];
    const files = entries.map(({ path, data }) => ({
      path,
      data: dataOf(data, 'files.write([{ path, data }]): data'),
    }));
    return this.#ask('write', { files, single: false }, options);
  }

  async list(path: unknown, options?: unknown): Promise<unknown> {
    return revive(await this.#ask('list', { path }, options));
  }
  exists(path: unknown, options?: unknown): Promise<unknown> {
    return this.#ask('exists', { path }, options);
  }
  async getInfo(path: unknown, options?: unknown): Promise<unknown> {
    return revive(await this.#ask('getInfo', { path }, options));
  }
  makeDir(path: unknown, options?: unknown): Promise<unknown> {
    return this.#ask('makeDir', { path }, options);
  }
  async rename(oldPath: unknown, newPath: unknown, options?: unknown): Promise<unknown> {
    return revive(await this.#ask('rename', { oldPath, newPath }, options));
  }
  async remove(path: unknown, options?: unknown): Promise<void> {
    await this.#ask('remove', { path }, options);
  }
}

hint(
  Files.prototype,
  {
    watchDir: 'Nothing streams into this code: compare files.list(path, { depth }) before and after.',
    watch: 'Nothing streams into this code: compare files.list(path, { depth }) before and after.',
    mkdir: 'Use files.makeDir(path).',
    delete: 'Use files.remove(path).',
    rm: 'Use files.remove(path).',
    move: 'Use files.rename(oldPath, newPath).',
    stat: 'Use files.getInfo(path).',
    download: "Use files.read(path, { format: 'bytes' }), or downloadUrl(path) for a link.",
    upload: 'Use files.write(path, data), or uploadUrl(path) for a link.',
    readFile: 'Use files.read(path).',
    writeFile: 'Use files.write(path, data).',
  },
  'method',
);
