// Metadata of uploaded files: `X-Metadata-<key>` headers, within what an extended attribute holds. Pure.
import type { IncomingHttpHeaders } from 'node:http';
import { Failure } from '../machine/failure.ts';

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
