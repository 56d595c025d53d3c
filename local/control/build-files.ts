// The files that builds copy: archives by their hash, uploaded to addresses that need no key, as E2B's presigned ones;
// what is in them, packed with gzip or not, and where it goes.
import { randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import type { RequestHandler } from 'express';
import { unpackTar } from 'modern-tar';
import { readCapped } from '../../src/ground/read-capped.ts';
import { ApiError } from './team.ts';

/** Of all teams together. */
const MAX_BYTES = 512 * 1024 * 1024;

export class BuildFiles {
  readonly #archives = new Map<string, Buffer>();
  /** Upload address -> whose archive of which hash it takes. */
  readonly #uploads = new Map<string, string>();
  #heldBytes = 0;

  find(teamId: string, hash: string): Buffer | undefined {
    return this.#archives.get(`${teamId}:${hash}`);
  }

  /** The secret part of an address that takes one archive. */
  expect(teamId: string, hash: string): string {
    const token = randomBytes(24).toString('hex');
    this.#uploads.set(token, `${teamId}:${hash}`);
    return token;
  }

  /** For `PUT /template-files/:token`, before any API key is asked for. */
  readonly receive: RequestHandler = async (req, res) => {
    const token = String(req.params.token);
    const key = this.#uploads.get(token);
    if (key === undefined) throw new ApiError(404, 'no such upload');
    const maxBytes = MAX_BYTES - this.#heldBytes;
    const tooLarge = () => new ApiError(413, 'local mode holds no more files of builds');
    const archive = await readCapped(req, { maxBytes, tooLarge });
    this.#uploads.delete(token);
    this.#heldBytes += archive.length - (this.#archives.get(key)?.length ?? 0);
    this.#archives.set(key, archive);
    res.status(200).end();
  };
}

export type TarEntry = {
  readonly path: string;
  readonly type: string;
  readonly mode: number;
  readonly link: string;
  readonly content: Uint8Array;
};

const KINDS = ['file', 'directory', 'symlink'];
const MAX_UNPACKED_BYTES = 512 * 1024 * 1024;

/** Links stay as they are; what is neither file, folder nor link is left out. @throws Error for what is no tar */
export async function readTar(archive: Buffer): Promise<TarEntry[]> {
  const packed = archive[0] === 0x1f && archive[1] === 0x8b;
  const entries = await unpackTar(packed ? gunzipSync(archive, { maxOutputLength: MAX_UNPACKED_BYTES }) : archive);
  return entries.flatMap(({ header: { name, type = 'file', mode, linkname = '' }, data }) => {
    const path = name.replace(/^(?:\.?\/)+|\/+$/g, '');
    if (!KINDS.includes(type) || path === '' || path.split('/').includes('..')) return [];
    return [{ path, type, mode: (mode || 0o644) & 0o777, link: linkname, content: data ?? new Uint8Array(0) }];
  });
}

/** What `src` names in the archive, a glob or not, and where it goes below `target`; a folder's content, a file itself. */
export function placeEntries(
  entries: readonly TarEntry[],
  src: string,
  target: string,
  intoFolder: boolean,
): { readonly entry: TarEntry; readonly path: string }[] {
  const wanted = src.replace(/^(?:\.\/)+|\/+$/g, '');
  const all = wanted === '.' || wanted === '';
  const pattern = new RegExp(`^${globSource(wanted)}(?=/|$)`);
  return entries.flatMap(entry => {
    const root = all ? '' : pattern.exec(entry.path)?.[0];
    if (root === undefined) return [];
    const isFolder =
      all || entries.some(({ path, type }) => path.startsWith(`${root}/`) || (path === root && type === 'directory'));
    const below = all ? `/${entry.path}` : entry.path.slice(root.length);
    if (isFolder) return [{ entry, path: target + below }];
    return [{ entry, path: intoFolder ? `${target}/${root.split('/').at(-1)}` : target }];
  });
}

function globSource(glob: string): string {
  return glob
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replace(/\*\*|\*|\?/g, each => (each === '**' ? '.*' : each === '*' ? '[^/]*' : '[^/]'));
}
