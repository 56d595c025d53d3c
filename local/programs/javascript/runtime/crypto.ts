// Node's crypto, as far as scripts use it: digests and random bytes come from the host's Node.
import { Buffer, toBuffer } from './buffer.ts';
import { worker } from './host.ts';

const ask = worker.hash;

function bytesOf(data: unknown, encoding?: string): Buffer {
  if (typeof data === 'string') return Buffer.from(data, encoding as 'utf8');
  if (ArrayBuffer.isView(data)) return toBuffer(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  throw new TypeError('The "data" argument must be of type string or an instance of Buffer, TypedArray, or DataView.');
}

function digestOf(how: { readonly algorithm: string; readonly key?: string }) {
  const finished = (data: Buffer) =>
    Buffer.from(ask(JSON.stringify({ ...how, data: data.toString('base64') })), 'base64');
  // An unknown algorithm is an error here, as in Node.
  finished(Buffer.alloc(0));
  let parts: Buffer[] | undefined = [];
  const open = (): Buffer[] => {
    if (parts === undefined) throw new Error('Digest already called');
    return parts;
  };
  const digest = {
    update(data: unknown, encoding?: string) {
      open().push(Buffer.from(bytesOf(data, encoding)));
      return digest;
    },
    digest(encoding = 'buffer'): Buffer | string {
      const bytes = finished(Buffer.concat(open()));
      parts = undefined;
      return encoding === 'buffer' ? bytes : bytes.toString(encoding as 'hex');
    },
  };
  return digest;
}

const randomBytes = (size: number): Buffer => Buffer.from(ask(JSON.stringify({ random: size })), 'base64');

export const crypto = {
  createHash: (algorithm: string) => digestOf({ algorithm }),
  createHmac: (algorithm: string, key: unknown) => digestOf({ algorithm, key: bytesOf(key).toString('base64') }),
  hash: (algorithm: string, data: unknown, encoding = 'hex') => digestOf({ algorithm }).update(data).digest(encoding),
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
