// A terminal before a virtual shell: what is typed is shown and given to the shell line by line, what the shell prints is
// shown. Knows the few control characters that people type; programs on the whole screen are not possible here.
import type { TerminalSize } from '../processes.ts';
import { LiveStdin } from './live-stdin.ts';

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
  #left = false;

  constructor(size: TerminalSize, show: (bytes: Buffer) => Promise<void>) {
    this.size = size;
    this.#show = show;
  }

  /** The person has left the shell; else it ended by a mistake, and a new one takes over. */
  get left(): boolean {
    return this.#left;
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
      this.#left ||= LEAVING.test(line);
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
      this.#left = true;
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
