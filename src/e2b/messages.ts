// Connect's streams, cut into whole messages. Pure.

type HandOn = (bytes: Uint8Array) => void;

/**
 * A byte of flags, four of length (big-endian), then so many of the message. Handed on only once it is whole: its reader
 * goes over all pieces it holds with each one more, and they may be of one byte. Throws `tooLarge()` at a message that
 * announces more than `maxBytes`.
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
