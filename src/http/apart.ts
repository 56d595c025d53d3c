// Large blocks of an answer go past the MCP SDK, which would check them, and make JSON text and then bytes of them, all in
// one go on the main thread. The SDK sees something short in a block's place; the block is put there as it is written.
import { randomBytes } from 'node:crypto';

/** The SDK handles shorter blocks fast enough. */
const MIN_CHARS = 16_384;
/** Random bytes of a mark. It is base64 text, so the SDK takes it for a block. */
const MARK_BYTES = 24;
/** Written between two turns of the event loop. */
const PIECE_BYTES = 262_144;

export class BlocksApart {
  readonly #blocks = new Map<string, string>();

  /** What stands for this base64 in the answer; it cannot be guessed. */
  readonly set = (base64: string): string => {
    if (base64.length < MIN_CHARS) return base64;
    const mark = randomBytes(MARK_BYTES).toString('base64');
    this.#blocks.set(mark, base64);
    return mark;
  };

  get isEmpty(): boolean {
    return this.#blocks.size === 0;
  }

  /** In bytes, with the blocks in their places. */
  lengthOf(answer: Uint8Array): number {
    const added = this.#placesIn(asBuffer(answer)).map(({ mark, block }) => block.length - mark.length);
    return added.reduce((sum, bytes) => sum + bytes, answer.byteLength);
  }

  /** The bytes of an answer, or of a whole message of one, with the blocks in their places. Each is there once. */
  *fill(answer: Uint8Array): Generator<Uint8Array> {
    const bytes = asBuffer(answer);
    let from = 0;
    for (const { at, mark, block } of this.#placesIn(bytes)) {
      this.#blocks.delete(mark);
      yield bytes.subarray(from, at);
      for (let i = 0; i < block.length; i += PIECE_BYTES) yield Buffer.from(block.slice(i, i + PIECE_BYTES), 'latin1');
      from = at + mark.length;
    }
    if (from < bytes.length) yield bytes.subarray(from);
  }

  #placesIn(bytes: Buffer) {
    const places = [...this.#blocks].map(([mark, block]) => ({ at: bytes.indexOf(mark), mark, block }));
    return places.filter(({ at }) => at >= 0).sort((a, b) => a.at - b.at);
  }
}

const asBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);
