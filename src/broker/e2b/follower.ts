// Follows one command in a sandbox: keeps a limited part of its output, gives its end as a result however it ended. Knows
// the SDK's command handle, and nothing of capabilities.
import { discardKeptOutput } from '../../e2b/handle.ts';
import type { CommandHandle } from '../../e2b/sdk.ts';
import { commandEndOf } from '../../e2b/sdk-errors.ts';
import { createOutput } from './output.ts';

export type CommandResult = {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Why it ended, when not by itself. */
  readonly error?: string;
  /** Characters of stdout and stderr that were left out. */
  readonly dropped?: number;
};

export type Listener = (stream: 'stdout' | 'stderr', text: string) => void;

export type FollowOptions = {
  /** Kept of each stream, characters: head and tail. */
  readonly maxKeptChars: number;
  /** No part of it is left where the output is cut. */
  readonly apiKey: string;
  /** Streamed in all; a command that prints more is not followed any longer. */
  readonly maxStreamedBytes: number;
  /** Called for each piece. What it throws stops the following as well, and is what `ended` rejects with. */
  readonly onBytes: (bytes: number) => void;
  readonly onStdout?: (text: string) => void;
  /** Of the agent's code, which may add to them. What one throws stops the following, as with `onBytes`. */
  readonly listeners: Set<Listener>;
  /** Called once, when the command printed too much: kills it or not. Returns what happens to it, for the error. */
  readonly onTooMuch: (pid: number) => string;
  /** The error's text when its time was over. */
  readonly overdue: string;
};

export type Follower = {
  readonly pid: number;
  /** A file in the sandbox that has its output too. */
  readonly logPath?: string;
  /** A failed command does not reject it: only a lost sandbox does, or a run that has no bytes left. */
  readonly ended: Promise<CommandResult>;
  readonly listeners: Set<Listener>;
  /** The output so far. */
  peek(): Pick<CommandResult, 'stdout' | 'stderr' | 'dropped'>;
  /** Stops following; the command goes on. */
  leave(): void;
  /** The stream broke off before the command's end, e.g. because its sandbox was paused. */
  lost(): boolean;
  /** Stops following and counts as lost: its sandbox has been paused. */
  lose(): void;
};

export type StartCommand = (listeners: {
  readonly onStdout: (text: string) => void;
  readonly onStderr: (text: string) => void;
  readonly signal: AbortSignal;
}) => Promise<CommandHandle>;

export async function follow(start: StartCommand, options: FollowOptions): Promise<Follower> {
  const command = new FollowedCommand(options);
  const handle = await start(command.listeners());
  const ended = command.endOf(handle);
  ended.catch(() => {}); // awaited later, or never
  return {
    pid: handle.pid,
    ended,
    listeners: options.listeners,
    peek: () => command.printed(),
    leave: () => command.leave(),
    lost: () => command.lost,
    lose: () => command.lose(),
  };
}

class FollowedCommand {
  readonly #options: FollowOptions;
  readonly #stdout: ReturnType<typeof createOutput>;
  readonly #stderr: ReturnType<typeof createOutput>;
  readonly #stream = new AbortController();
  /** Undefined until the command has started; output may come before. */
  #handle: CommandHandle | undefined;
  #streamedBytes = 0;
  /** Set once there was too much output. `cause`: what `onBytes` threw, or nothing when it was the command's own limit. */
  #excess: { readonly cause: unknown } | undefined;
  /** What `onTooMuch` returned. */
  #fate = '';
  lost = false;

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#stdout = createOutput(options.maxKeptChars, options.apiKey);
    this.#stderr = createOutput(options.maxKeptChars, options.apiKey);
  }

  listeners(): Parameters<StartCommand>[0] {
    return {
      onStdout: text => {
        this.#stdout.push(text);
        this.#count('stdout', text);
        this.#options.onStdout?.(text);
      },
      onStderr: text => {
        this.#stderr.push(text);
        this.#count('stderr', text);
      },
      signal: this.#stream.signal,
    };
  }

  /** Output may have come before the handle, and it may have been too much. */
  async endOf(handle: CommandHandle): Promise<CommandResult> {
    this.#handle = handle;
    this.#stopOnExcess();
    try {
      const { exitCode, error } = await handle.wait();
      return { exitCode, ...this.printed(), ...errorField(error) };
    } catch (caught) {
      return { ...this.printed(), ...this.#endFrom(caught) };
    }
  }

  printed(): Pick<CommandResult, 'stdout' | 'stderr' | 'dropped'> {
    const [stdout, stderr] = [this.#stdout.read(), this.#stderr.read()];
    const dropped = stdout.dropped + stderr.dropped;
    return { stdout: stdout.text, stderr: stderr.text, ...(dropped > 0 && { dropped }) };
  }

  leave(): void {
    this.#stream.abort();
  }

  lose(): void {
    this.lost = true;
    this.#stream.abort();
  }

  #count(stream: 'stdout' | 'stderr', text: string): void {
    if (this.#handle !== undefined) discardKeptOutput(this.#handle);
    if (this.#excess !== undefined) return;
    const bytes = Buffer.byteLength(text);
    this.#streamedBytes += bytes;
    try {
      this.#options.onBytes(bytes);
      for (const listener of this.#options.listeners) listener(stream, text);
      if (this.#streamedBytes > this.#options.maxStreamedBytes) this.#excess = { cause: undefined };
    } catch (cause) {
      this.#excess = { cause };
    }
    this.#stopOnExcess();
  }

  /** Once: `#count` does nothing after the excess. */
  #stopOnExcess(): void {
    if (this.#excess === undefined || this.#handle === undefined) return;
    this.#fate = this.#options.onTooMuch(this.#handle.pid);
    this.#stream.abort();
  }

  /** From what the SDK rejects with. @throws what is not an end of the command */
  #endFrom(caught: unknown): Pick<CommandResult, 'exitCode' | 'error'> {
    if (this.#excess !== undefined) {
      if (this.#excess.cause !== undefined) throw this.#excess.cause;
      const error = `it printed more than ${this.#options.maxStreamedBytes} bytes and ${this.#fate}. Send its output to a file and read a part`;
      return { exitCode: -1, error };
    }
    const end = commandEndOf(caught);
    if (end === 'timed out') return { exitCode: -1, error: this.#options.overdue };
    if (end !== undefined) return { exitCode: end.exitCode, ...errorField(end.error) };
    this.lost = true;
    throw caught;
  }
}

const errorField = (error: unknown) => (typeof error === 'string' && error !== '' ? { error } : {});
