// What a running script has around it, as the commands of ours see it: its process, input, output and jobs.
import type { RunProgram } from '../machine.ts';
import type { OutputKind } from '../processes.ts';
import type { User } from '../users.ts';
import type { Disk } from './disk.ts';
import type { Ports } from './ports.ts';
import type { LiveStdin, Terminal } from './terminal.ts';

/** Stands for input that is still to come: just-bash wants all of it at once. */
export const LIVE_INPUT = '\u0000live input\u0000';

export type VirtualShellOptions = {
  /** As root sees it. */
  readonly root: Disk;
  /** Where volumes are mounted. */
  readonly volumes: readonly string[];
  readonly diskFor: (user: User, refused: Set<string>) => Disk;
  readonly env: Readonly<Record<string, string>>;
  readonly runProgram: RunProgram;
  readonly network: Ports;
};

export type Job = { readonly id: number; readonly source: string; readonly done: Promise<number>; kill(): void };

/** What a running script has around it. Commands of ours are made for one. */
export type Session = {
  readonly shell: VirtualShellOptions;
  readonly user: User;
  readonly pid: number;
  readonly signal: AbortSignal;
  readonly stdin: LiveStdin | undefined;
  readonly terminal: Terminal | undefined;
  readonly jobs: Map<number, Job>;
  readonly output: (kind: OutputKind, bytes: Uint8Array) => Promise<void>;
  readonly processes: Processes;
  /** The same for another user. */
  as(user: User, output?: Session['output']): Session;
  /** The exit code. Output goes to the session as it comes. */
  run(source: string, options: ScriptOptions): Promise<number>;
  /** A script in the background: it ends with the process that started it, at the latest. */
  startJob(source: string, options: ScriptOptions): Job;
};

/** All scripts of a sandbox, for `ps` and `kill` inside it. */
export type Processes = Map<number, { readonly source: string; readonly kill: (signal?: string) => void }>;

export type ScriptOptions = {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Instead of the session's live input. */
  readonly stdin?: string;
  /** `$1`, `$2` … with `$0` before them. */
  readonly positional?: readonly string[];
};

export function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
