// Decompresses and measures a body. Runs on a thread (unpacker.ts). Pure.
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { type JsonLimits, type JsonVerdict, judgeJson } from '../ground/json-size.ts';
import type { Utf8 } from '../ground/json-text.ts';

const DECODERS = { gzip: gunzipSync, 'x-gzip': gunzipSync, deflate: inflateSync, br: brotliDecompressSync };
export type Encoding = keyof typeof DECODERS;

export const isEncoding = (name: string): name is Encoding => Object.hasOwn(DECODERS, name);

export type PackedBody = { readonly bytes: Uint8Array; readonly encoding: Encoding; readonly limits: JsonLimits };

/** `broken`: the bytes are not of this encoding, or not complete. */
export type UnpackedBody =
  | { readonly bytes: Utf8; readonly verdict: JsonVerdict }
  | { readonly fault: 'broken' | 'too_large' };

/** Maximum ratio of uncompressed to received bytes, for bodies of more than FREE_OF_RATIO_BYTES. */
const MAX_RATIO = 100;
const FREE_OF_RATIO_BYTES = 65_536;

export function unpack({ bytes, encoding, limits }: PackedBody): UnpackedBody {
  const maxOutputLength = Math.min(limits.maxBytes, Math.max(FREE_OF_RATIO_BYTES, bytes.length * MAX_RATIO));
  try {
    const unpacked = DECODERS[encoding](bytes, { maxOutputLength });
    return { bytes: unpacked, verdict: judgeJson(unpacked, limits) };
  } catch (caught) {
    const isTooLarge = (caught as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    return { fault: isTooLarge ? 'too_large' : 'broken' };
  }
}
