// What a guest prints on its way out: taken without the guest waiting for it, in order, parts of one kind together.
import type { OutputKind } from './operations.ts';

type Part = { readonly kind: OutputKind; readonly bytes: Uint8Array };

/** Parts together are no larger than this, if they are several. */
const MAX_TOGETHER_BYTES = 64 * 1024;

export class Printed {
  readonly #write: (kind: OutputKind, bytes: Uint8Array) => Promise<void>;
  readonly #taken: (bytes: number) => void;
  #parts: Part[] = [];
  #writing: Promise<void> | undefined;

  /** `taken` is called with the count of bytes that wait no longer. */
  constructor(write: (kind: OutputKind, bytes: Uint8Array) => Promise<void>, taken: (bytes: number) => void) {
    this.#write = write;
    this.#taken = taken;
  }

  add(kind: OutputKind, bytes: Uint8Array): void {
    this.#parts.push({ kind, bytes });
    this.#writing ??= this.#writeAll();
  }

  /** Once all that was printed has been written. */
  async written(): Promise<void> {
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#parts.length > 0) {
      // What arrived with it goes with it.
      await new Promise(resolve => setImmediate(resolve));
      const parts = this.#next();
      const bytes = parts.length === 1 ? parts[0]?.bytes : Buffer.concat(parts.map(part => part.bytes));
      // A reader that is gone is no fault of the guest's: the rest is dropped.
      if (bytes !== undefined) await this.#write(parts[0]?.kind ?? 'stdout', bytes).catch(() => {});
      this.#taken(bytes?.length ?? 0);
    }
    this.#writing = undefined;
  }

  #next(): Part[] {
    const kind = this.#parts[0]?.kind;
    let size = 0;
    const end = this.#parts.findIndex((part, at) => {
      size += part.bytes.length;
      return part.kind !== kind || (at > 0 && size > MAX_TOGETHER_BYTES);
    });
    return this.#parts.splice(0, end === -1 ? this.#parts.length : end);
  }
}
