// Keeps large base64 blocks of a response away from the MCP SDK, which would validate and serialize them in one step on the
// main thread. The SDK gets a short placeholder (mark) instead, and the block is put in its place when it is written.
import { randomBytes } from 'node:crypto';
import { type Base64, base64Text } from '../ground/base64.ts';
import { freeBuffers } from '../ground/free-buffers.ts';

/** Shorter blocks are passed to the SDK, which is fast enough for them. */
const MIN_CHARS = 16_384;
/** Random bytes of a mark. A mark is base64, so that the SDK accepts it as a block. */
const MARK_BYTES = 24;
/** Maximum size of one write, so that other requests are served between two of them. */
const PIECE_BYTES = 262_144;

export class BlocksApart {
  readonly #blocks = new Map<string, Base64>();
  /** Their memory. */
  readonly #filled = new Set<ArrayBuffer>();

  /** Keeps the block and returns its mark, which cannot be guessed. Returns short blocks as text. */
  readonly set = (base64: Base64): string => {
    if (base64.length < MIN_CHARS) return base64Text(base64);
    const mark = randomBytes(MARK_BYTES).toString('base64');
    this.#blocks.set(mark, base64);
    return mark;
  };

  get isEmpty(): boolean {
    return this.#blocks.size === 0;
  }

  /** The length of the response in bytes, with the blocks in place of their marks. */
  lengthOf(answer: Uint8Array): number {
    const added = this.#placesIn(asBuffer(answer)).map(({ mark, block }) => block.length - mark.length);
    return added.reduce((sum, bytes) => sum + bytes, answer.byteLength);
  }

  /** The bytes of a response, or of one whole message of it, with the blocks in place of their marks. Each mark occurs once. */
  *fill(answer: Uint8Array): Generator<Uint8Array> {
    const bytes = asBuffer(answer);
    let from = 0;
    for (const { at, mark, block } of this.#placesIn(bytes)) {
      this.#blocks.delete(mark);
      this.#filled.add(block.buffer);
      yield bytes.subarray(from, at);
      for (let i = 0; i < block.length; i += PIECE_BYTES) yield block.subarray(i, i + PIECE_BYTES);
      from = at + mark.length;
    }
    if (from < bytes.length) yield bytes.subarray(from);
  }

  /** Frees the memory of the blocks that were put in. Call it when the system has taken all bytes of the response. */
  freeFilled(): void {
    freeBuffers([...this.#filled]);
    this.#filled.clear();
  }

  #placesIn(bytes: Buffer) {
    const places = [...this.#blocks].map(([mark, block]) => ({ at: bytes.indexOf(mark), mark, block }));
    return places.filter(({ at }) => at >= 0).sort((a, b) => a.at - b.at);
  }
}

const asBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);
