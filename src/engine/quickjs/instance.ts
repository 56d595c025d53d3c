// One WebAssembly instance that runs guests of one image, one after the other: reset in place between them, or parked as
// the pages in which it differs from the image. Knows memory and pages; not runs, messages or limits of time.
import { IMPORT_MESSAGE } from '../protocol.ts';
import type { Box } from './exports.ts';
import type { Image } from './image.ts';
import { GuestException, type Hooks, Vm } from './vm.ts';

const PAGE = 4_096;
const BLOCK = 65_536;
const ZERO_PAGE = Buffer.alloc(PAGE);
const ZERO_BLOCK = Buffer.alloc(BLOCK);

/** A guest put aside: all of it that is not in the image. May be loaded by any worker that has the image. */
export type Parked = {
  readonly memoryBytes: number;
  /** Byte offset of each page in `pages`. Small: cheaper copied between threads than transferred. */
  readonly offsets: Uint32Array<ArrayBuffer>;
  readonly pages: Uint8Array<ArrayBuffer>;
};

export class Instance {
  readonly image: Image;
  readonly #vm: Vm;
  readonly #imageBytes: Buffer;
  /** The buffer the last loaded guest came in, kept for the next one to leave in: they need about the same. */
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

  /** A grown memory cannot shrink, and the allocator would go on from its end: such an instance is thrown away. */
  get grown(): boolean {
    return this.#vm.memory.length > this.image.memory.length;
  }

  /** Evaluates the agent's code and hands what it evaluates to, to the prelude. Throws GuestException. */
  start(source: string, fileName: string, limitsJson: string, memoryBytes: number): void {
    this.#vm.exports.qjs_set_memory_limit(this.image.coreBytes + memoryBytes);
    const evaluated = this.#vm.eval(`(${source}\n)`, fileName);
    this.#vm.call(this.image.start, evaluated, this.#vm.string(limitsJson));
  }

  /** Throws GuestException. */
  settle(id: number, how: number, payload: string): void {
    this.#vm.call(this.image.settle, this.#vm.number(id), this.#vm.number(how), this.#vm.string(payload));
  }

  /** Passed to the prelude at once: what it keeps is part of the guest, and goes where the guest goes. */
  #reject(promise: Box, reason: Box, handled: boolean): void {
    try {
      this.#vm.call(this.image.reject, promise, reason, this.#vm.boolean(handled));
    } catch (error) {
      // No memory or stack left for it: the guest meets that itself.
      if (!(error instanceof GuestException)) throw error;
    }
  }

  /** Runs one promise job; false when there is none. Throws GuestException. */
  runJob(): boolean {
    return this.#vm.runJob();
  }

  /** Back to the image, whatever ran. Not for a grown instance. */
  reset(): void {
    const { stackBytes, coreBytes, memory } = this.image;
    const bytes = this.#vm.memory;
    bytes.set(memory.subarray(stackBytes, coreBytes), stackBytes);
    this.#restoreBlocks(0, stackBytes);
    this.#restoreBlocks(coreBytes, memory.length);
    this.#restoreRegisters();
  }

  /** Where hardly anything changes: what is not written to takes no memory of the machine. */
  #restoreBlocks(from: number, to: number): void {
    const bytes = this.#vm.memory;
    for (let at = from; at < to; at += BLOCK)
      if (this.#differs(at, BLOCK)) bytes.set(this.image.memory.subarray(at, at + BLOCK), at);
  }

  /** Takes the guest out. The instance is clean afterwards, unless it has grown. */
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

  /** Puts a parked guest into this clean instance. */
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
