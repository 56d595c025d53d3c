// What the shell asks of the interpreters behind `python3` and `node`. Types only.
import type { OutputKind } from './processes.ts';

export type Language = 'python' | 'javascript';

type ProgramIo = {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** The next bytes, a line where there is one; undefined at the end. */
  stdin(): Promise<Buffer | undefined>;
  /** Resolves when the output has been taken. */
  output(kind: OutputKind, bytes: Uint8Array): Promise<void>;
  readonly signal: AbortSignal;
};

/** The program's exit code. `args` are those of the command line, without its name. Never rejects for what a program does. */
export type RunProgram = (language: Language, args: readonly string[], io: ProgramIo) => Promise<number>;
