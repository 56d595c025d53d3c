// What a guest prints on its way out: taken without the guest waiting for it, in order, parts of one kind together.
// protocol.ts bounds how much a guest prints ahead.
import { setImmediate } from 'node:timers/promises';
import type { OutputKind } from './operations.ts';

type Write = (kind: OutputKind, bytes: Uint8Array) => Promise<void>;

export class Printed {
  readonly #write: Write;
  readonly #parts: { readonly kind: OutputKind; readonly pieces: Uint8Array[] }[] = [];
  #writing: Promise<void> | undefined;

  constructor(write: Write) {
    this.#write = write;
  }

  add(kind: OutputKind, bytes: Uint8Array): void {
    const last = this.#parts.at(-1);
    if (last?.kind === kind) last.pieces.push(bytes);
    else this.#parts.push({ kind, pieces: [bytes] });
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
