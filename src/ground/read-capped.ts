type Options = {
  readonly maxBytes: number;
  /** Makes the error for a larger body. */
  readonly tooLarge: () => Error;
  /** Called with the size of each chunk that fits. */
  readonly onBytes?: (bytes: number) => void;
};

/** Reads a whole body into memory. Stops and throws `tooLarge()` at the first chunk that exceeds `maxBytes`. */
export async function readCapped(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { maxBytes, tooLarge, onBytes }: Options,
): Promise<Buffer<ArrayBuffer>> {
  const kept: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw tooLarge();
    onBytes?.(chunk.byteLength);
    kept.push(chunk);
  }
  return Buffer.concat(kept, bytes);
}
