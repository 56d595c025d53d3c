type Options = {
  readonly maxBytes: number;
  /** Makes the error for a larger body. */
  readonly tooLarge: () => Error;
  /** Called with the size of each chunk that fits. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
};

/** Reads a whole body into memory. Stops and throws `tooLarge()` at the first chunk that exceeds `maxBytes`. */
export async function readCapped(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { maxBytes, tooLarge, onBytes }: Options,
): Promise<Buffer<ArrayBuffer>> {
  return Buffer.concat(await readPieces(chunks, { maxBytes, tooLarge, onBytes }));
}

/** The same without putting the chunks together. */
export async function readPieces(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { maxBytes, tooLarge, onBytes }: Options,
): Promise<Uint8Array<ArrayBuffer>[]> {
  const kept: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw tooLarge();
    onBytes?.(chunk.byteLength);
    kept.push(chunk as Uint8Array<ArrayBuffer>); // no body is in shared memory
  }
  return kept;
}
