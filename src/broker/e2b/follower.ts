// Follows one command in a sandbox: keeps a limited part of its output, and returns a result however it ended. Knows
// the SDK's command handle, but no capabilities.
import { discardKeptOutput } from '../../e2b/handle.ts';
import type { CommandHandle } from '../../e2b/sdk.ts';
import { commandEndOf } from '../../e2b/sdk-errors.ts';
import { createOutput } from './output.ts';

export type CommandResult = {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The reason, if the command did not end by itself. */
  readonly error?: string;
  /** Number of characters of stdout and stderr that were left out. */
  readonly dropped?: number;
};

export type Listener = (stream: 'stdout' | 'stderr', text: string) => void;

export type FollowOptions = {
  /** Maximum characters kept of each stream: its head and its tail. */
  readonly maxKeptChars: number;
  /** The caller's key, of which no part may remain where output is cut. */
  readonly apiKey: string;
  /** Maximum total output; a command that prints more is no longer followed. */
  readonly maxStreamedBytes: number;
  /** Called for each piece of output. If it throws, following stops and `ended` rejects with the error. */
  readonly onBytes: (bytes: number) => void;
  readonly onStdout?: (text: string) => void;
  /** Listeners of the agent's code; more may be added later. If one throws, following stops as with `onBytes`. */
  readonly listeners: Set<Listener>;
  /** Called once if the command prints too much. May kill it; returns what happens to it, for the error message. */
  readonly onTooMuch: (pid: number) => string;
  /** Error message for a command that timed out. */
  readonly overdue: string;
};

export type Follower = {
  readonly pid: number;
  /** File in the sandbox that the output is also written to. */
  readonly logPath?: string;
  /** Resolves for a failed command as well; rejects if the sandbox is lost or the run has no bytes left. */
  readonly ended: Promise<CommandResult>;
  readonly listeners: Set<Listener>;
  /** The output so far. */
  peek(): Pick<CommandResult, 'stdout' | 'stderr' | 'dropped'>;
  /** Stops following; the command goes on. */
  leave(): void;
  /** Whether the stream ended before the command did, e.g. because its sandbox was paused. */
  lost(): boolean;
  /** Stops following and marks the stream as lost, because the sandbox has been paused. */
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
  /** Undefined until the command has started; output may arrive before that. */
  #handle: CommandHandle | undefined;
  #streamedBytes = 0;
  /** Set after too much output. `cause`: the error from `onBytes`; undefined if the command's limit was exceeded. */
  #excess: { readonly cause: unknown } | undefined;
  /** The return value of `onTooMuch`. */
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

  /** Output may have arrived before the handle did, and it may have been too much already. */
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

  /** Runs only once, because `#count` returns early after an excess. */
  #stopOnExcess(): void {
    if (this.#excess === undefined || this.#handle === undefined) return;
    this.#fate = this.#options.onTooMuch(this.#handle.pid);
    this.#stream.abort();
  }

  /** Converts the SDK's rejection to a result. @throws errors that do not mean that the command ended */
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
