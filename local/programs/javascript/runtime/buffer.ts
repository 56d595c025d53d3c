// Node's Buffer: the one of the gateway's guest.
import type { Buffer as NodeBuffer } from 'node:buffer';
import { bufferGlobals } from '../../../../src/guest/prelude/buffer/buffer.ts';

export const Buffer = bufferGlobals.Buffer as unknown as typeof NodeBuffer;
export type Buffer = NodeBuffer;

/** What is written to a file, a digest or a request. */
export function bytesOf(data: unknown, encoding?: string | null): Buffer {
  if (ArrayBuffer.isView(data)) return toBuffer(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return Buffer.from(String(data ?? ''), (encoding ?? 'utf8') as 'utf8');
}

/** The same bytes, as a Buffer. */
export function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
}
