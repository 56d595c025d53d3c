// Follows one command in a sandbox: bounded output while it streams, its end as a result whatever it was, killed or left
// alone when the run ends. Knows the SDK's command handle, and nothing of capabilities.
import type { CommandHandle } from '../../e2b/sdk.ts';
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
  /** Streamed in all; more ends the following. */
  readonly maxStreamedBytes: number;
  /** Told of each piece; what it throws ends the following as well, and is what `ended` rejects with. */
  readonly onBytes: (bytes: number) => void;
  readonly onStdout?: (text: string) => void;
  /** Called once, when it printed too much: kill it, or let it go on unheard. Answers what becomes of it. */
  readonly onTooMuch: (pid: number) => string;
  /** Why it ended and what to do, when its time was over. */
  readonly overdue: string;
};

export type Follower = {
  readonly pid: number;
  /** Does not reject for what the command did: only when the sandbox was lost or the run has no bytes left. */
  readonly ended: Promise<CommandResult>;
  /** What there is so far. */
  peek(): Pick<CommandResult, 'stdout' | 'stderr' | 'dropped'>;
  /** Stops listening; the command goes on. */
  leave(): void;
  /** The stream broke off before the command's end: its sandbox was paused, say. */
  lost(): boolean;
  /** Leaves it as lost: its sandbox has been paused. */
  lose(): void;
};

export type StartCommand = (listeners: {
  readonly onStdout: (text: string) => void;
  readonly onStderr: (text: string) => void;
  readonly signal: AbortSignal;
}) => Promise<CommandHandle>;

export async function follow(start: StartCommand, options: FollowOptions): Promise<Follower> {
  const stdout = createOutput(options.maxKeptChars);
  const stderr = createOutput(options.maxKeptChars);
  const stream = new AbortController();
  let streamed = 0;
  let lost = false;
  let handle: CommandHandle | undefined;
  /** Thrown for the run's bytes, or the end of the command's own. */
  let tooMuch: { readonly cause: unknown; fate: string } | undefined;

  const count = (text: string) => {
    // The SDK's handle keeps all output for itself as well, without bounds: emptied as it fills.
    if (handle !== undefined) Object.assign(handle, { _stdout: '', _stderr: '' });
    if (tooMuch !== undefined) return;
    const bytes = Buffer.byteLength(text);
    streamed += bytes;
    try {
      options.onBytes(bytes);
    } catch (cause) {
      tooMuch = { cause, fate: '' };
    }
    if (streamed > options.maxStreamedBytes) tooMuch ??= { cause: undefined, fate: '' };
    if (tooMuch !== undefined && handle !== undefined) stop(handle.pid, tooMuch);
  };
  const stop = (pid: number, too: { fate: string }) => {
    too.fate = options.onTooMuch(pid);
    stream.abort();
  };
  const printed = () => {
    const dropped = stdout.dropped + stderr.dropped;
    return { stdout: stdout.text(), stderr: stderr.text(), ...(dropped > 0 && { dropped }) };
  };

  handle = await start({
    onStdout(text) {
      stdout.push(text);
      count(text);
      options.onStdout?.(text);
    },
    onStderr(text) {
      stderr.push(text);
      count(text);
    },
    signal: stream.signal,
  });
  const { pid } = handle;
  const lose = () => {
    lost = true;
    stream.abort();
  };
  if (tooMuch !== undefined) stop(pid, tooMuch);

  const ended = handle.wait().then(
    ({ exitCode, error }) => ({ exitCode, ...printed(), ...because(error) }),
    (caught: unknown) => {
      if (tooMuch === undefined) {
        try {
          const { exitCode, ...why } = endOf(caught, options.overdue);
          return { exitCode, ...printed(), ...why };
        } catch (cause) {
          lost = true;
          throw cause;
        }
      }
      if (tooMuch.cause !== undefined) throw tooMuch.cause;
      const error = `it printed more than ${options.maxStreamedBytes} bytes and ${tooMuch.fate}. Send its output to a file and read a part`;
      return { exitCode: -1, ...printed(), error };
    },
  );
  ended.catch(() => {}); // awaited later, or never
  return { pid, ended, peek: printed, leave: () => stream.abort(), lost: () => lost, lose };
}

/** How the SDK tells of an end that is not a plain exit 0. @throws what is no end of the command */
function endOf(caught: unknown, overdue: string): { exitCode: number; error?: string } {
  const { name, message, exitCode, error } = (caught ?? {}) as Record<string, unknown>;
  if (name === 'CommandExitError' && typeof exitCode === 'number') return { exitCode, ...because(error) };
  if (name === 'TimeoutError' && String(message).includes('deadline_exceeded')) {
    return { exitCode: -1, error: overdue };
  }
  throw caught;
}

const because = (error: unknown) => (typeof error === 'string' && error !== '' ? { error } : {});
