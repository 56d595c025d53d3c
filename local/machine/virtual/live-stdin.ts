// The input of a running process: bytes pushed by a client, taken by whatever reads. A writer waits while more than a
// pipe's capacity is unread, as with a real pipe.

const PIPE_BYTES = 64 * 1024;

export class LiveStdin {
  #chunks: Buffer[] = [];
  #size = 0;
  #closed = false;
  #arrived: (() => void)[] = [];
  #taken: (() => void)[] = [];

  /** Resolves when there is room again. Rejects once closed. */
  async push(bytes: Uint8Array): Promise<void> {
    if (this.#closed) throw new Error('stdin is closed');
    this.#chunks.push(Buffer.from(bytes));
    this.#size += bytes.length;
    wakeAll(this.#arrived);
    while (this.#size > PIPE_BYTES && !this.#closed) await new Promise<void>(resolve => this.#taken.push(resolve));
  }

  close(): void {
    this.#closed = true;
    wakeAll(this.#arrived);
    wakeAll(this.#taken);
  }

  /** What there is, waiting for something; undefined at the end. */
  async read(): Promise<Buffer | undefined> {
    while (this.#chunks.length === 0 && !this.#closed) await this.#more();
    if (this.#chunks.length === 0) return undefined;
    return this.#take(Buffer.concat(this.#chunks));
  }

  /** With its newline, if it has one; undefined at the end. */
  async readLine(): Promise<Buffer | undefined> {
    while (true) {
      const all = Buffer.concat(this.#chunks);
      const newline = all.indexOf(10);
      if (newline !== -1) return this.#take(all.subarray(0, newline + 1), all.subarray(newline + 1));
      if (this.#closed) return all.length === 0 ? undefined : this.#take(all);
      await this.#more();
    }
  }

  async readAll(): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let part = await this.read(); part !== undefined; part = await this.read()) parts.push(part);
    return Buffer.concat(parts);
  }

  #take(taken: Buffer, rest?: Buffer): Buffer {
    this.#chunks = rest === undefined || rest.length === 0 ? [] : [rest];
    this.#size = rest?.length ?? 0;
    wakeAll(this.#taken);
    return taken;
  }

  #more(): Promise<void> {
    return new Promise(resolve => this.#arrived.push(resolve));
  }
}

function wakeAll(waiting: (() => void)[]): void {
  for (const wake of waiting.splice(0)) wake();
}
