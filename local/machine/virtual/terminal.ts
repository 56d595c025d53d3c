// The input of a running process, and a terminal before a virtual shell: what is typed is shown and given to the shell
// line by line, what the shell prints is shown. Knows the few control characters that people type; programs on the whole
// screen are not possible here.
import { Deferred } from '../../time.ts';
import type { TerminalSize } from '../processes.ts';

const PIPE_BYTES = 64 * 1024;

/**
 * Bytes pushed by a client, taken by whatever reads. A writer waits while more than a pipe's capacity is unread, as with
 * a real pipe.
 */
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

/** An interactive shell: one script, so that variables, functions and the folder stay from line to line. */
export const INTERACTIVE = `while printf '%s@e2b:%s$ ' "$USER" "\${PWD/#$HOME/\\~}"; IFS= read -r __line; do eval "$__line"; done`;

const ENTER = /[\r\n]/;
const BACKSPACE = /[\b\x7f]/;
const INTERRUPT = '\x03';
const END = '\x04';
const LEAVING = /(^|[;&|]\s*)\s*(exit|logout|exec)\b/;

export class Terminal {
  readonly stdin = new LiveStdin();
  size: TerminalSize;
  readonly #show: (bytes: Buffer) => Promise<void>;
  readonly #decoder = new TextDecoder();
  /** Typed and not yet entered. */
  #line = '';
  /** The person has left the shell; else it ended by a mistake, and a new one takes over. */
  left = false;

  constructor(size: TerminalSize, show: (bytes: Buffer) => Promise<void>) {
    this.size = size;
    this.#show = show;
  }

  /** What the shell and its programs print. */
  print(bytes: Uint8Array): Promise<void> {
    return this.#show(Buffer.from(Buffer.from(bytes).toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1'));
  }

  async type(bytes: Uint8Array): Promise<void> {
    for (const char of this.#decoder.decode(bytes, { stream: true })) await this.#key(char);
  }

  async #key(char: string): Promise<void> {
    if (ENTER.test(char)) {
      const line = `${this.#line}\n`;
      this.#line = '';
      this.left ||= LEAVING.test(line);
      await this.#echo('\r\n');
      await this.stdin.push(Buffer.from(line));
    } else if (BACKSPACE.test(char)) {
      if (this.#line !== '') await this.#echo('\b \b');
      this.#line = Array.from(this.#line).slice(0, -1).join('');
    } else if (char === INTERRUPT) {
      this.#line = '';
      await this.#echo('^C\r\n');
      await this.stdin.push(Buffer.from('\n'));
    } else if (char === END) {
      if (this.#line !== '') return;
      this.left = true;
      this.stdin.close();
    } else {
      this.#line += char;
      await this.#echo(char);
    }
  }

  #echo(text: string): Promise<void> {
    return this.#show(Buffer.from(text));
  }
}
