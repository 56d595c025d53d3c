// Splits a stream of the Connect protocol into whole messages. Pure.

const PREFIX_BYTES = 5;

/**
 * Returns a function that yields the messages which a chunk completes; they are cut off only as they are taken, because a
 * chunk may hold thousands. A message is a byte of flags, four bytes of length (big-endian), and the content. It is passed
 * on only when it is whole, because the SDK rescans all pieces it has with each new one, and a sandbox may send pieces of
 * one byte. Throws `tooLarge()` for a message longer than `maxBytes`.
 */
export function wholeMessages(maxBytes: number, tooLarge: () => Error): (chunk: Uint8Array) => Generator<Uint8Array> {
  let message = new Uint8Array(PREFIX_BYTES);
  let filled = 0;
  const lengthAt = (bytes: Uint8Array, at: number): number => {
    const length = new DataView(bytes.buffer, bytes.byteOffset + at, PREFIX_BYTES).getUint32(1);
    if (length > maxBytes) throw tooLarge();
    return length;
  };
  return function* split(chunk) {
    for (let at = 0; at < chunk.byteLength; ) {
      if (filled === 0 && at + PREFIX_BYTES <= chunk.byteLength) {
        const end = at + PREFIX_BYTES + lengthAt(chunk, at);
        if (end <= chunk.byteLength) {
          yield chunk.slice(at, end);
          at = end;
          continue;
        }
      }
      const piece = chunk.subarray(at, at + message.byteLength - filled);
      message.set(piece, filled);
      filled += piece.byteLength;
      at += piece.byteLength;
      if (filled < message.byteLength) continue;
      const length = filled === PREFIX_BYTES ? lengthAt(message, 0) : 0;
      if (length > 0) {
        const prefix = message;
        message = new Uint8Array(PREFIX_BYTES + length);
        message.set(prefix);
        continue;
      }
      yield message;
      message = new Uint8Array(PREFIX_BYTES);
      filled = 0;
    }
  };
}
