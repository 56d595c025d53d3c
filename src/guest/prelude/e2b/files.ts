// `sbx.files`, as in the SDK.
import * as is from '../intrinsics.ts';
import { type Call, dataOf, hint, type Options, plain, revive } from './calls.ts';
import { allNamed, alsoNamed, OF_ENTRY } from './misnamed.ts';
import { rejecting, suggestNames } from './names.ts';
import { writeFile, writeFiles } from './uploads.ts';

type Entry = { readonly path?: unknown; readonly data?: unknown };

/** Also accepts 'utf8' and `{ encoding: 'utf8' }`, as in Node's readFile. */
function readOptions(given: unknown): Options {
  const options = (typeof given === 'string' ? { format: given } : (given ?? {})) as Options;
  const { encoding, ...rest } = options;
  const format = options.format ?? encoding;
  if (format === undefined) return rest;
  return { ...rest, format: typeof format === 'string' && /^(?:utf-?8|string)$/i.test(format) ? 'text' : format };
}

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

  #target(options: unknown) {
    return { call: this.#call, sandboxId: this.#sandboxId, opts: plain(options) };
  }

  async read(path: unknown, given?: unknown): Promise<unknown> {
    const options = readOptions(given);
    const { format } = options;
    const asked = format === 'blob' ? { ...options, format: 'bytes' } : options;
    const content = (await this.#ask('read', { path }, asked)) as string;
    if (format === 'blob') return new Blob([is.fromBase64(content)]);
    return format === 'bytes' ? is.fromBase64(content) : content;
  }

  async write(pathOrEntries: unknown, dataOrOptions?: unknown, options?: unknown): Promise<unknown> {
    if (Array.isArray(pathOrEntries)) return this.#writeAll(pathOrEntries, dataOrOptions);
    if (typeof pathOrEntries !== 'string') {
      throw new TypeError('Use files.write(path, data) or files.write([{ path, data }, …]).');
    }
    const data = dataOf(dataOrOptions, 'files.write(path, data): data');
    return writeFile(this.#target(options), { path: pathOrEntries, data });
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
    return writeFiles(this.#target(options), files);
  }

  async list(path: unknown, options?: unknown): Promise<unknown> {
    return allNamed(revive(await this.#ask('list', { path }, options)), OF_ENTRY);
  }
  exists(path: unknown, options?: unknown): Promise<unknown> {
    return this.#ask('exists', { path }, options);
  }
  async getInfo(path: unknown, options?: unknown): Promise<unknown> {
    return alsoNamed(revive(await this.#ask('getInfo', { path }, options)), OF_ENTRY);
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

rejecting(Files.prototype);
suggestNames(Files.prototype, 'files');
hint(Files.prototype, 'method', [
  ['Nothing streams into this code: compare files.list(path, { depth }) before and after.', 'watchDir watch'],
  ['Use files.makeDir(path).', 'mkdir'],
  ['Use files.remove(path).', 'delete rm unlink'],
  ['Use files.rename(oldPath, newPath).', 'move'],
  ['Use files.getInfo(path).', 'stat'],
  ["Use files.read(path, { format: 'bytes' }), or downloadUrl(path) for a link.", 'download'],
  ['Use files.write(path, data), or uploadUrl(path) for a link.', 'upload'],
  ['Use files.read(path).', 'readFile'],
  ['Use files.write(path, data).', 'writeFile'],
  ['Use files.list(path).', 'ls listDir readdir'],
  ["Use commands.run('cat >> path', …), or read, add and write the whole file.", 'append'],
  ["Use commands.run('cp -r from to').", 'copy'],
  ["Use files.read(path, { format: 'bytes' }).", 'readBytes'],
]);
