// What a guest prints on its way out: taken without the guest waiting for it, in order, parts of one kind together.
import { setImmediate } from 'node:timers/promises';
import type { OutputKind } from './operations.ts';

type Part = { readonly kind: OutputKind; readonly pieces: Uint8Array[]; bytes: number };

/** To a part of this size nothing is added. */
const FULL_BYTES = 64 * 1024;

export class Printed {
  readonly #write: (kind: OutputKind, bytes: Uint8Array) => Promise<void>;
  readonly #parts: Part[] = [];
  #writing: Promise<void> | undefined;

  constructor(write: (kind: OutputKind, bytes: Uint8Array) => Promise<void>) {
    this.#write = write;
  }

  add(kind: OutputKind, bytes: Uint8Array): void {
    let part = this.#parts.at(-1);
    if (part?.kind !== kind || part.bytes >= FULL_BYTES) {
      part = { kind, pieces: [], bytes: 0 };
      this.#parts.push(part);
    }
    part.pieces.push(bytes);
    part.bytes += bytes.length;
    this.#writing ??= this.#writeAll();
  }

  /** Once all that was printed has been written. */
  async written(): Promise<void> {
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#parts.length > 0) {
      // What arrives with it goes with it.
      await setImmediate();
      const part = this.#parts.shift();
      // A reader that is gone is no fault of the guest's: the rest is dropped.
      if (part !== undefined) await this.#write(part.kind, Buffer.concat(part.pieces)).catch(() => {});
    }
    this.#writing = undefined;
  }
}
