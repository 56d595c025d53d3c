// AbortController, AbortSignal, Blob, Headers (only what code without a network can use) and `global`.
import { AbortController, AbortSignal, useTimers } from './abort.ts';
import { startTimer } from './bridge.ts';
import { concatBytes, decodeUtf8, encodeUtf8, toBytes } from './text.ts';

useTimers(startTimer);

// Assigned inside the class, because it uses private fields.
let bytesOfBlob: (value: object) => Uint8Array | undefined;

class Blob {
  readonly type: string;
  readonly #bytes: Uint8Array;

  constructor(parts: Iterable<unknown> = [], { type = '' }: { type?: string } = {}) {
    this.#bytes = concatBytes(
      [...parts].map(part => (typeof part === 'string' ? encodeUtf8(part) : bytesOfPart(part))),
    );
    this.type = String(type).toLowerCase();
  }

  get size(): number {
    return this.#bytes.length;
  }
  async text(): Promise<string> {
    return decodeUtf8(this.#bytes);
  }
  async bytes(): Promise<Uint8Array> {
    return this.#bytes.slice();
  }
  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#bytes.slice().buffer as ArrayBuffer;
  }
  /** For results and logs, in which a Blob would otherwise be {}. */
  toJSON(): object {
    return { size: this.size, type: this.type };
  }
  slice(start?: number, end?: number, type = ''): Blob {
    return new Blob([this.#bytes.slice(start, end)], { type });
  }

  static {
    bytesOfBlob = value => (#bytes in value ? value.#bytes : undefined);
  }
}

function bytesOfPart(part: unknown): Uint8Array {
  const blob = typeof part === 'object' && part !== null ? blobBytes(part) : undefined;
  if (blob !== undefined) return blob;
  return ArrayBuffer.isView(part) || part instanceof ArrayBuffer ? toBytes(part) : encodeUtf8(String(part));
}

/** The bytes of a Blob; undefined for anything else. */
export const blobBytes = (value: object): Uint8Array | undefined => bytesOfBlob(value);

class Headers {
  readonly #values = new Map<string, string>();

  constructor(init?: Iterable<readonly [string, string]> | Readonly<Record<string, string>>) {
    const entries =
      init === undefined || init === null
        ? []
        : Symbol.iterator in init
          ? [...(init as Iterable<readonly [string, string]>)]
          : Object.entries(init);
    for (const [name, value] of entries) this.append(name, value);
  }

  append(name: string, value: string): void {
    const before = this.get(name);
    this.set(name, before === null ? value : `${before}, ${value}`);
  }
  set(name: string, value: string): void {
    this.#values.set(String(name).toLowerCase(), String(value).trim());
  }
  get(name: string): string | null {
    return this.#values.get(String(name).toLowerCase()) ?? null;
  }
  has(name: string): boolean {
    return this.get(name) !== null;
  }
  delete(name: string): void {
    this.#values.delete(String(name).toLowerCase());
  }
  forEach(visit: (value: string, name: string, headers: Headers) => void): void {
    for (const [name, value] of this) visit(value, name, this);
  }
  keys(): IterableIterator<string> {
    return [...this].map(([name]) => name).values();
  }
  values(): IterableIterator<string> {
    return [...this].map(([, value]) => value).values();
  }
  entries(): IterableIterator<[string, string]> {
    return this[Symbol.iterator]();
  }
  [Symbol.iterator](): IterableIterator<[string, string]> {
    return [...this.#values].sort(([one], [other]) => (one < other ? -1 : 1)).values();
  }
  toJSON(): Record<string, string> {
    return Object.fromEntries(this);
  }
}

export const webGlobals = { AbortController, AbortSignal, Blob, Headers, global: globalThis };
