// How file contents are sent: type by name or content, encodings the client takes, ranges. Pure.
import type { IncomingHttpHeaders } from 'node:http';
import { basename, extname } from 'node:path/posix';
import Negotiator from 'negotiator';

const TYPES: Readonly<Record<string, string>> = {
  '.avif': 'image/avif',
  '.css': 'text/css; charset=utf-8',
  '.csv': 'text/csv; charset=utf-8',
  '.gif': 'image/gif',
  '.htm': 'text/html; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.md': 'text/markdown; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webp': 'image/webp',
  '.xml': 'text/xml; charset=utf-8',
  '.zip': 'application/zip',
};

/** By the name's ending, else by the first bytes. */
export function contentType(path: string, start: Uint8Array): string {
  const known = TYPES[extname(path).toLowerCase()];
  if (known !== undefined) return known;
  const binary = start.subarray(0, 512).some(byte => byte < 9 || (byte > 13 && byte < 32 && byte !== 27));
  return binary ? 'application/octet-stream' : 'text/plain; charset=utf-8';
}

export function disposition(path: string): string {
  const name = basename(path);
  if (/^[\w.!#$&+^`|~-]+$/.test(name)) return `inline; filename=${name}`;
  if (/^[\x20-\x7e]+$/.test(name)) return `inline; filename="${name.replace(/["\\]/g, '\\$&')}"`;
  return `inline; filename*=utf-8''${encodeURIComponent(name)}`;
}

/** The best of what the client takes; undefined when it takes neither. `plainOnly`: a part of a file is never packed. */
export const encodingFor = (headers: IncomingHttpHeaders, plainOnly: boolean): string | undefined =>
  new Negotiator({ headers }).encoding(plainOnly ? ['identity'] : ['identity', 'gzip']);

/** One range of a file; undefined: the whole; `none`: it is outside. */
export function rangeOf(
  header: string | undefined,
  sizeBytes: number,
): { start: number; end: number } | 'none' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (match === null || (match[1] === '' && match[2] === '')) return undefined;
  const last = sizeBytes - 1;
  if (match[1] === '') {
    const length = Number(match[2]);
    return length === 0 || sizeBytes === 0 ? 'none' : { start: Math.max(0, sizeBytes - length), end: last };
  }
  const start = Number(match[1]);
  const end = match[2] === '' ? last : Math.min(Number(match[2]), last);
  return start > last || start > end ? 'none' : { start, end };
}
