// Node's own digests and random bytes for the code's crypto module. Runs in the code's own thread.
import { createHash, createHmac, getHashes, randomBytes } from 'node:crypto';

const MAX_RANDOM_BYTES = 64 * 1024 * 1024;

/** JSON in, text out: base64 of the bytes. @throws as Node does for an unknown algorithm */
export function hash(request: string): string {
  const { algorithm, key, data, random, list } = JSON.parse(request);
  if (list === true) return getHashes().join(' ');
  if (random !== undefined) return randomBytes(Math.min(Number(random), MAX_RANDOM_BYTES)).toString('base64');
  const digest = key === undefined ? createHash(algorithm) : createHmac(algorithm, Buffer.from(key, 'base64'));
  return digest.update(Buffer.from(data, 'base64')).digest('base64');
}
