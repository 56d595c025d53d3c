// Node's own digests and random bytes for the code's crypto module. Runs in the code's own thread.
import { createHash, createHmac, getHashes, randomBytes } from 'node:crypto';
import { z } from 'zod';

const base64 = z.string().transform(text => Buffer.from(text, 'base64'));
const Request = z.union([
  z.object({ algorithm: z.string(), key: base64.optional(), data: base64 }),
  z.object({
    randomBytes: z
      .number()
      .int()
      .min(0)
      .max(64 * 1024 * 1024),
  }),
  z.object({ list: z.literal(true) }),
]);

/** JSON in, text out: base64 of the bytes. @throws as Node does for an unknown algorithm */
export function hash(request: string): string {
  const wanted = Request.parse(JSON.parse(request));
  if ('list' in wanted) return getHashes().join(' ');
  if ('randomBytes' in wanted) return randomBytes(wanted.randomBytes).toString('base64');
  const { algorithm, key, data } = wanted;
  const digest = key === undefined ? createHash(algorithm) : createHmac(algorithm, key);
  return digest.update(data).digest('base64');
}
