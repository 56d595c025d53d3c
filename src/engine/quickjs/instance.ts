// A WebAssembly instance that runs guests of one image, one after the other. Between them it is reset in place; a guest can
// also be parked, which saves the pages in which it differs from the image.
import type { JsonText } from '../../ground/json-text.ts';
import { IMPORT_MESSAGE } from '../protocol.ts';
import type { Box } from './exports.ts';
import type { Image } from './image.ts';
import { GuestException, type Hooks, Vm } from './vm.ts';

const PAGE = 4_096;
const BLOCK = 65_536;
const ZERO_PAGE = Buffer.alloc(PAGE);
const ZERO_BLOCK = Buffer.alloc(BLOCK);

/** A parked guest: everything of it that is not in the image. Any worker that has the image can load it. */
export type Parked = {
  readonly memoryBytes: number;
  /** The byte offset of each page in `pages`. It is small, so copying it between threads is faster than a transfer. */
  readonly offsets: Uint32Array<ArrayBuffer>;
  readonly pages: Uint8Array<ArrayBuffer>;
};

export class Instance {
  readonly image: Image;
  readonly #vm: Vm;
  readonly #imageBytes: Buffer;
  /** The buffer of the last guest that was loaded, kept for the next one that is parked: their sizes are similar. */
  #spare: ArrayBuffer | undefined;

  constructor(module: WebAssembly.Module, image: Image, hooks: Pick<Hooks, 'interrupt' | 'send' | 'now'>) {
    this.image = image;
    this.#imageBytes = Buffer.from(image.memory.buffer);
    this.#vm = new Vm(module, {
      ...hooks,
      importMessage: () => IMPORT_MESSAGE,
      rejection: (promise, reason, handled) => this.#reject(promise, reason, handled),
    });
    this.#vm.growTo(image.memory.length);
    this.reset();
  }

  /** Whether the memory has grown. It cannot shrink, so the instance must be discarded. */
  get grown(): boolean {
    return this.#vm.memory.length > this.image.memory.length;
  }

  /** Evaluates the agent's code and passes its value to the prelude. Throws GuestException. */
  start(source: string, fileName: string, limitsJson: string, memoryBytes: number): void {
    this.#vm.exports.qjs_set_memory_limit(this.image.coreBytes + memoryBytes);
    const evaluated = this.#vm.eval(`(${source}\n)`, fileName);
    this.#vm.call(this.image.start, evaluated, this.#vm.string(limitsJson));
  }

  /** Throws GuestException. */
  settle(id: number, how: number, payload: JsonText): void {
    this.#vm.call(this.image.settle, this.#vm.number(id), this.#vm.number(how), this.#vm.string(payload));
  }

  /** Passes a rejection to the prelude, which keeps it in the guest's memory, so that it is parked with the guest. */
  #reject(promise: Box, reason: Box, handled: boolean): void {
    try {
      this.#vm.call(this.image.reject, promise, reason, this.#vm.boolean(handled));
    } catch (error) {
      // There is no memory or stack left; the guest will get that error itself.
      if (!(error instanceof GuestException)) throw error;
    }
  }

  /** Runs one promise job; false if there is none. Throws GuestException. */
  runJob(): boolean {
    return this.#vm.runJob();
  }

  /** Restores the image after any run. Not possible for an instance that has grown. */
  reset(): void {
    const { stackBytes, coreBytes, memory } = this.image;
    const bytes = this.#vm.memory;
    bytes.set(memory.subarray(stackBytes, coreBytes), stackBytes);
    this.#restoreBlocks(0, stackBytes);
    this.#restoreBlocks(coreBytes, memory.length);
    this.#restoreRegisters();
  }

  /** For ranges that rarely change: blocks that are never written to use no physical memory. */
  #restoreBlocks(from: number, to: number): void {
    const bytes = this.#vm.memory;
    for (let at = from; at < to; at += BLOCK)
      if (this.#differs(at, BLOCK)) bytes.set(this.image.memory.subarray(at, at + BLOCK), at);
  }

  /** Saves and removes the guest. The instance is clean afterwards, unless it has grown. */
  park(): Parked {
    const bytes = this.#vm.memory;
    const offsets = this.#dirtyPages();
    const pages = this.#pageBuffer(offsets.length * PAGE);
    for (let i = 0; i < offsets.length; i++) {
      const at = offsets[i] as number;
      pages.set(bytes.subarray(at, at + PAGE), i * PAGE);
      if (at < this.image.memory.length) bytes.set(this.image.memory.subarray(at, at + PAGE), at);
    }
    this.#restoreBlocks(0, this.image.stackBytes);
    this.#restoreRegisters();
    return { memoryBytes: bytes.length, offsets: new Uint32Array(offsets), pages };
  }

  /** Loads a parked guest into this instance, which must be clean. */
  load({ memoryBytes, offsets, pages }: Parked): void {
    this.#vm.growTo(memoryBytes);
    const bytes = this.#vm.memory;
    for (let i = 0; i < offsets.length; i++) bytes.set(pages.subarray(i * PAGE, (i + 1) * PAGE), offsets[i]);
    this.#restoreRegisters();
    this.#spare = pages.buffer;
  }

  #pageBuffer(bytes: number): Uint8Array<ArrayBuffer> {
    const spare = this.#spare;
    this.#spare = undefined;
    const fits = spare !== undefined && spare.byteLength >= bytes && spare.byteLength <= 2 * bytes + 64 * PAGE;
    return new Uint8Array(fits ? spare : new ArrayBuffer(bytes + 8 * PAGE), 0, bytes);
  }

  #dirtyPages(): number[] {
    const dirty: number[] = [];
    const end = this.#vm.memory.length;
    for (let block = this.image.stackBytes; block < end; block += BLOCK) {
      if (!this.#differs(block, BLOCK)) continue;
      for (let page = block; page < block + BLOCK; page += PAGE) if (this.#differs(page, PAGE)) dirty.push(page);
    }
    return dirty;
  }

  #differs(at: number, length: typeof PAGE | typeof BLOCK): boolean {
    const bytes = this.#vm.memory;
    if (at < this.#imageBytes.length) return bytes.compare(this.#imageBytes, at, at + length, at, at + length) !== 0;
    return bytes.compare(length === PAGE ? ZERO_PAGE : ZERO_BLOCK, 0, length, at, at + length) !== 0;
  }

  #restoreRegisters(): void {
    this.#vm.exports.__stack_pointer.value = this.image.stackBytes;
    this.#vm.exports.qjs_set_runtime_and_context(this.image.runtime, this.image.context);
  }
}
