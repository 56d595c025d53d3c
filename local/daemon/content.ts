// How file contents are sent: type by name or content, encodings the client takes, ranges; and what metadata is kept. Pure.
import type { IncomingHttpHeaders } from 'node:http';
import { basename } from 'node:path/posix';
import mime from 'mime';
import Negotiator from 'negotiator';
import parseRange, { type Range } from 'range-parser';
import { Failure } from '../machine/failure.ts';

/** By the name's ending, else by the first bytes. */
export function contentType(path: string, start: Uint8Array): string {
  const binary = start.some(byte => byte < 9 || (byte > 13 && byte < 32 && byte !== 27));
  const type = mime.getType(path) ?? (binary ? 'application/octet-stream' : 'text/plain');
  return type.startsWith('text/') ? `${type}; charset=utf-8` : type;
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
export function rangeOf(header: string | undefined, sizeBytes: number): Range | 'none' | undefined {
  const ranges = header === undefined ? [] : parseRange(sizeBytes, header);
  if (ranges === -1) return 'none';
  return ranges === -2 || ranges.length > 1 ? undefined : ranges[0];
}

/** Metadata of an upload: these headers, within what an extended attribute holds. */
const HEADER = 'x-metadata-';
/** The attribute's name; it counts. */
const ATTRIBUTE = 'user.e2b.';
const MAX_KEY_CHARS = 255 - ATTRIBUTE.length;
const MAX_TOTAL_CHARS = 4_096;

/** @throws Failure invalid_argument */
export function metadataOf(headers: IncomingHttpHeaders): Record<string, string> {
  const metadata: Record<string, string> = {};
  let total = 0;
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(HEADER) || typeof value !== 'string') continue;
    const key = name.slice(HEADER.length);
    if (key === '') continue;
    if (key.length > MAX_KEY_CHARS) refuse(`metadata key "${key}" exceeds ${MAX_KEY_CHARS} bytes`);
    if (!/^[\x20-\x7e]*$/.test(value)) refuse(`metadata value for key "${key}" contains non-printable-ASCII bytes`);
    total += ATTRIBUTE.length + key.length + value.length;
    metadata[key] = value;
  }
  if (total > MAX_TOTAL_CHARS) refuse(`total metadata size ${total} exceeds ${MAX_TOTAL_CHARS} bytes`);
  return metadata;
}

function refuse(message: string): never {
  throw new Failure('invalid_argument', `invalid metadata: ${message}`);
}
