// The files that builds copy: archives by their hash, uploaded to addresses that need no key, as E2B's presigned ones.
import { randomBytes } from 'node:crypto';
import type { RequestHandler } from 'express';
import { readCapped } from '../../src/ground/read-capped.ts';
import { ApiError } from './errors.ts';

/** Of all teams together. */
const MAX_BYTES = 512 * 1024 * 1024;

export class BuildFiles {
  readonly #archives = new Map<string, Buffer>();
  /** Upload address -> whose archive of which hash it takes. */
  readonly #uploads = new Map<string, string>();
  #heldBytes = 0;

  find(teamId: string, hash: string): Buffer | undefined {
    return this.#archives.get(`${teamId}:${hash}`);
  }

  /** The secret part of an address that takes one archive. */
  expect(teamId: string, hash: string): string {
    const token = randomBytes(24).toString('hex');
    this.#uploads.set(token, `${teamId}:${hash}`);
    return token;
  }

  /** For `PUT /template-files/:token`, before any API key is asked for. */
  readonly receive: RequestHandler = async (req, res) => {
    const token = String(req.params.token);
    const key = this.#uploads.get(token);
    if (key === undefined) throw new ApiError(404, 'no such upload');
    const maxBytes = MAX_BYTES - this.#heldBytes;
    const tooLarge = () => new ApiError(413, 'local mode holds no more files of builds');
    const archive = await readCapped(req, { maxBytes, tooLarge });
    this.#uploads.delete(token);
    this.#heldBytes += archive.length - (this.#archives.get(key)?.length ?? 0);
    this.#archives.set(key, archive);
    res.status(200).end();
  };
}
