// The archives of COPY steps: what is in them, packed with gzip or not, and where it goes.
import { gunzipSync } from 'node:zlib';
import { unpackTar } from 'modern-tar';

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
