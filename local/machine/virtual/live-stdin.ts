// The input of a running process: bytes pushed by a client, taken by whatever reads. A writer waits while more than a
// pipe's capacity is unread, as with a real pipe.
import { Deferred } from '../../waiting.ts';

const PIPE_BYTES = 64 * 1024;

export class LiveStdin {
  #unread = Buffer.alloc(0);
  #closed = false;
  #changed = new Deferred();

  /** Resolves when there is room again. Rejects once closed. */
  async push(bytes: Uint8Array): Promise<void> {
    if (this.#closed) throw new Error('stdin is closed');
    this.#change(Buffer.concat([this.#unread, bytes]));
    while (this.#unread.length > PIPE_BYTES && !this.#closed) await this.#changed.promise;
  }

  close(): void {
    this.#closed = true;
    this.#change(this.#unread);
  }

  /** What there is, waiting for something; undefined at the end. */
  read(): Promise<Buffer | undefined> {
    return this.#take(bytes => bytes.length);
  }

  /** With its newline, if it has one; undefined at the end. */
  readLine(): Promise<Buffer | undefined> {
    return this.#take(bytes => bytes.indexOf('\n') + 1);
  }

  async readAll(): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let part = await this.read(); part !== undefined; part = await this.read()) parts.push(part);
    return Buffer.concat(parts);
  }

  /** As many bytes as are wanted of those there are; 0: more have to come first. */
  async #take(wanted: (bytes: Buffer) => number): Promise<Buffer | undefined> {
    while (true) {
      const all = this.#unread;
      const size = wanted(all) || (this.#closed ? all.length : 0);
      if (size > 0) {
        this.#change(all.subarray(size));
        return all.subarray(0, size);
      }
      if (this.#closed) return undefined;
      await this.#changed.promise;
    }
  }

  #change(unread: Buffer<ArrayBuffer>): void {
    this.#unread = unread;
    this.#changed.resolve();
    this.#changed = new Deferred();
  }
}
