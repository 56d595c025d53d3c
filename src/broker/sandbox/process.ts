// Follows one command in a sandbox: bounded output while it streams, its end as a result whatever it was, killed or left
// alone when the run ends. Knows the SDK's command handle, and nothing of capabilities.
import type { CommandHandle } from 'e2b';
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

export type FollowOptions = {
  /** Kept of each stream, characters: head and tail. */
  readonly maxKeptChars: number;
  /** Streamed in all; more ends it. */
  readonly maxStreamedBytes: number;
  /** Told of each piece; what it throws ends the command as well. */
  readonly onBytes: (bytes: number) => void;
  readonly onStdout?: (text: string) => void;
  /** The sandbox kills the command, or not: when this end stops listening. */
  readonly onTooMuch: (pid: number) => void;
};

export type Follower = {
  readonly pid: number;
  /** Never rejects with what the command did: only when the sandbox was lost. */
  readonly ended: Promise<CommandResult>;
  /** What there is so far. */
  peek(): { readonly stdout: string; readonly stderr: string };
  /** Stops listening; the command goes on. */
  leave(): void;
};

type Start = (listeners: {
  onStdout: (text: string) => void;
  onStderr: (text: string) => void;
  signal: AbortSignal;
}) => Promise<CommandHandle>;

export async function follow(start: Start, options: FollowOptions): Promise<Follower> {
  const stdout = createOutput(options.maxKeptChars);
  const stderr = createOutput(options.maxKeptChars);
  const stream = new AbortController();
  let streamed = 0;
  let handle: CommandHandle | undefined;
  let tooMuch: { readonly cause: unknown } | undefined;

  const took = (text: string) => {
    // The SDK's handle keeps all output for itself as well, without bounds: emptied as it fills.
    if (handle !== undefined) Object.assign(handle, { _stdout: '', _stderr: '' });
    if (tooMuch !== undefined) return;
    const bytes = Buffer.byteLength(text);
    streamed += bytes;
    try {
      options.onBytes(bytes);
    } catch (cause) {
      tooMuch = { cause };
    }
    if (streamed > options.maxStreamedBytes) tooMuch ??= { cause: undefined };
    if (tooMuch !== undefined && handle !== undefined) stop(handle.pid);
  };
  const stop = (pid: number) => {
    options.onTooMuch(pid);
    stream.abort();
  };

  handle = await start({
    onStdout(text) {
      stdout.push(text);
      took(text);
      options.onStdout?.(text);
    },
    onStderr(text) {
      stderr.push(text);
      took(text);
    },
    signal: stream.signal,
  });
  const { pid } = handle;
  if (tooMuch !== undefined) stop(pid);

  const printed = () => {
    const dropped = stdout.dropped + stderr.dropped;
    return { stdout: stdout.text(), stderr: stderr.text(), ...(dropped > 0 && { dropped }) };
  };
  const ended = handle.wait().then(
    ({ exitCode, error }) => ({ exitCode, ...printed(), ...(error !== undefined && error !== '' && { error }) }),
    (caught: unknown): CommandResult => {
      if (tooMuch?.cause !== undefined) throw tooMuch.cause;
      if (tooMuch !== undefined)
        return {
          exitCode: -1,
          ...printed(),
          error: `stopped: it printed more than ${options.maxStreamedBytes} bytes. Send its output to a file and read a part`,
        };
      const { name, message, exitCode, error } = (caught ?? {}) as Record<string, unknown>;
      if (name === 'CommandExitError' && typeof exitCode === 'number') {
        return { exitCode, ...printed(), ...(typeof error === 'string' && error !== '' && { error }) };
      }
      if (name === 'TimeoutError' && String(message).includes('deadline_exceeded')) {
        return {
          exitCode: -1,
          ...printed(),
          error: 'timed out and was killed. Give it more timeoutMs, or background: true',
        };
      }
      throw caught;
    },
  );
  ended.catch(() => {}); // awaited later, or never
  return { pid, ended, peek: () => ({ stdout: stdout.text(), stderr: stderr.text() }), leave: () => stream.abort() };
}
