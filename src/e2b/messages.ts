// Splits a stream of the Connect protocol into whole messages. Pure.

type HandOn = (bytes: Uint8Array) => void;

/**
 * A message is a byte of flags, four bytes of length (big-endian), and the content. It is passed on only when it is
 * whole, because the SDK rescans all pieces it has with each new one, and a sandbox may send pieces of one byte. Throws
 * `tooLarge()` for a message longer than `maxBytes`.
 */
export function wholeMessages(maxBytes: number, tooLarge: () => Error): (chunk: Uint8Array, handOn: HandOn) => void {
  const PREFIX_BYTES = 5;
  let message = new Uint8Array(PREFIX_BYTES);
  let filled = 0;
  return (chunk, handOn) => {
    for (let at = 0; at < chunk.byteLength; ) {
      const piece = chunk.subarray(at, at + message.byteLength - filled);
      message.set(piece, filled);
      filled += piece.byteLength;
      at += piece.byteLength;
      if (filled < message.byteLength) continue;
      const length = filled === PREFIX_BYTES ? new DataView(message.buffer).getUint32(1) : 0;
      if (length > maxBytes) throw tooLarge();
      if (length > 0) {
        const prefix = message;
        message = new Uint8Array(PREFIX_BYTES + length);
        message.set(prefix);
        continue;
      }
      handOn(message);
      message = new Uint8Array(PREFIX_BYTES);
      filled = 0;
    }
  };
}
