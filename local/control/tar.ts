// Reads the archives of COPY steps: tar, packed with gzip or not. Pure.
import { gunzipSync } from 'node:zlib';

export type TarEntry = {
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink';
  readonly mode: number;
  readonly link: string;
  readonly content: Buffer;
};

const BLOCK = 512;
const MAX_UNPACKED_BYTES = 512 * 1024 * 1024;

/** Links stay as they are; what is neither file, folder nor link is left out. @throws Error for what is no tar */
export function readTar(archive: Buffer): TarEntry[] {
  const packed = archive[0] === 0x1f && archive[1] === 0x8b;
  const bytes = packed ? gunzipSync(archive, { maxOutputLength: MAX_UNPACKED_BYTES }) : archive;
  const entries: TarEntry[] = [];
  /** What an extended header says of the entry after it. */
  let extended: Readonly<Record<string, string>> = {};
  for (let at = 0; at + BLOCK <= bytes.length; ) {
    const header = bytes.subarray(at, at + BLOCK);
    if (header.every(byte => byte === 0)) break;
    const size = Number.parseInt(text(header, 124, 12), 8) || 0;
    const content = bytes.subarray(at + BLOCK, at + BLOCK + size);
    if (content.length < size) throw new Error('the archive is cut off');
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    const kind = String.fromCharCode(header[156] ?? 0);
    if (kind === 'x') extended = records(content);
    else if (kind === 'L') extended = { ...extended, path: text(content, 0, size) };
    else if (kind === 'K') extended = { ...extended, linkpath: text(content, 0, size) };
    else {
      const entry = entryOf(header, kind, content, extended);
      if (entry !== undefined) entries.push(entry);
      extended = {};
    }
  }
  return entries;
}

function entryOf(
  header: Buffer,
  kind: string,
  content: Buffer,
  extended: Readonly<Record<string, string>>,
): TarEntry | undefined {
  const type = ({ '0': 'file', '\0': 'file', '5': 'directory', '2': 'symlink' } as const)[kind];
  if (type === undefined) return undefined;
  const prefix = text(header, 345, 155);
  const name = text(header, 0, 100);
  const path = (extended.path ?? (prefix === '' ? name : `${prefix}/${name}`)).replace(/^(?:\.?\/)+|\/+$/g, '');
  if (path === '' || path.split('/').includes('..')) return undefined;
  const mode = (Number.parseInt(text(header, 100, 8), 8) || 0o644) & 0o777;
  return { path, type, mode, link: extended.linkpath ?? text(header, 157, 100), content };
}

function text(bytes: Buffer, start: number, length: number): string {
  const field = bytes.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.subarray(0, end === -1 ? undefined : end).toString('utf8');
}

/** `<length> <name>=<value>\n`, one after the other. */
function records(content: Buffer): Record<string, string> {
  const found: Record<string, string> = {};
  for (let at = 0; at < content.length; ) {
    const length = Number.parseInt(text(content, at, 20), 10);
    if (!(length > 0)) break;
    const record = content.subarray(at, at + length).toString('utf8');
    const [, name = '', value = ''] = /^\d+ ([^=]+)=([\s\S]*)\n$/.exec(record) ?? [];
    found[name] = value;
    at += length;
  }
  return found;
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
