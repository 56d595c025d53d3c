// Node's Buffer: the one of the gateway's guest.
import { Buffer } from 'buffer/';
import '../../../../src/guest/prelude/buffer.ts';

export { Buffer };

/** The same bytes, as a Buffer. */
export function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
}
