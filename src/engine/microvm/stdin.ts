// Sends replies to the runner as lines on stdin. Only one write at a time, because concurrent writes may arrive in the wrong
// order; each write takes as many of the waiting lines as fit.
import type { CommandHandle } from '../../e2b/sdk.ts';

/** The SDK blocks the event loop while it encodes stdin: a few milliseconds for this many characters. */
const MAX_WRITE_CHARS = 32_768;

export class StdinWriter {
  readonly #handle: CommandHandle;
  readonly #signal: AbortSignal;
  readonly #failed: (cause: unknown) => void;
  #waiting: string[] = [];
  #writing = false;

  constructor(handle: CommandHandle, signal: AbortSignal, failed: (cause: unknown) => void) {
    this.#handle = handle;
    this.#signal = signal;
    this.#failed = failed;
  }

  send(line: string): void {
    this.#waiting.push(`${line}\n`);
    if (!this.#writing) void this.#write();
  }

  async #write(): Promise<void> {
    this.#writing = true;
    try {
      while (this.#waiting.length > 0 && !this.#signal.aborted) {
        // A process that does not read blocks the write until the run's deadline.
        await this.#handle.sendStdin(this.#take(), { requestTimeoutMs: 0, signal: this.#signal });
      }
    } catch (caught) {
      this.#failed(caught);
    }
    this.#writing = false;
  }

  #take(): string {
    let text = this.#waiting.shift() ?? '';
    while (text.length + (this.#waiting[0]?.length ?? MAX_WRITE_CHARS) <= MAX_WRITE_CHARS)
      text += this.#waiting.shift();
    return text;
  }
}
