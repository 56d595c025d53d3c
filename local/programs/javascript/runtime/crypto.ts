// Node's crypto, as far as scripts use it: digests and random bytes come from the host's Node.
import { Buffer, toBuffer } from './buffer.ts';
import { worker } from './host.ts';

const ask = worker.hash;

function bytesOf(data: unknown, encoding?: string): Buffer {
  if (typeof data === 'string') return Buffer.from(data, encoding as 'utf8');
  if (ArrayBuffer.isView(data)) return toBuffer(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  throw new TypeError('The "data" argument must be of type string or an instance of Buffer, TypedArray, or DataView.');
}

class Digest {
  readonly #parts: Buffer[] = [];
  readonly #how: { algorithm: string; key?: string };
  #done = false;
  constructor(how: { algorithm: string; key?: string }) {
    this.#how = how;
    // An unknown algorithm is an error here, as in Node.
    this.#ask(Buffer.alloc(0));
  }
  update(data: unknown, encoding?: string): this {
    if (this.#done) throw new Error('Digest already called');
    this.#parts.push(Buffer.from(bytesOf(data, encoding)));
    return this;
  }
  digest(encoding?: string): Buffer | string {
    if (this.#done) throw new Error('Digest already called');
    this.#done = true;
    const bytes = Buffer.from(this.#ask(Buffer.concat(this.#parts)), 'base64');
    return encoding === undefined || encoding === 'buffer' ? bytes : bytes.toString(encoding as 'hex');
  }
  #ask(data: Buffer): string {
    return ask(JSON.stringify({ ...this.#how, data: data.toString('base64') }));
  }
}

const randomBytes = (size: number): Buffer => Buffer.from(ask(JSON.stringify({ random: size })), 'base64');

export const crypto = {
  createHash: (algorithm: string) => new Digest({ algorithm }),
  createHmac: (algorithm: string, key: unknown) => new Digest({ algorithm, key: bytesOf(key).toString('base64') }),
  hash: (algorithm: string, data: unknown, encoding = 'hex') => new Digest({ algorithm }).update(data).digest(encoding),
  getHashes: () => ask(JSON.stringify({ list: true })).split(' '),
  randomBytes(size: number, done?: (error: null, bytes: Buffer) => void): Buffer | undefined {
    const bytes = randomBytes(size);
    if (done === undefined) return bytes;
    queueMicrotask(() => done(null, bytes));
    return undefined;
  },
  randomInt(low: number, high?: number): number {
    const [from, to] = high === undefined ? [0, low] : [low, high];
    return from + Math.floor((randomBytes(6).readUIntBE(0, 6) / 2 ** 48) * (to - from));
  },
  randomUUID: () => globalThis.crypto.randomUUID(),
  getRandomValues: <T extends ArrayBufferView>(view: T) => globalThis.crypto.getRandomValues(view as never) as T,
  timingSafeEqual: (a: Uint8Array, b: Uint8Array) => bytesOf(a).equals(bytesOf(b)),
  webcrypto: globalThis.crypto,
  subtle: globalThis.crypto.subtle,
};
