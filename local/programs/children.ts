// The child processes of a guest: scripts of the sandbox's shell.
import { setTimeout } from 'node:timers/promises';
import type { DataMachine } from '../machine/machine.ts';
import type { OutputKind } from '../machine/processes.ts';
import type { Args, Ran } from './operations.ts';

const KILLED = 137;
const MAX_TIMER_MS = 2_147_483_647;

export type Child = { readonly outcome: Promise<Ran>; readonly signal: (name: Args<'signal'>['name']) => void };

/** `stop` kills it. */
export async function startChild(
  { processes }: DataMachine,
  { source, cwd, env, stdin }: Args<'run'>,
  stop: AbortSignal,
): Promise<Child> {
  const collected: Record<OutputKind, Uint8Array[]> = { stdout: [], stderr: [], pty: [] };
  const config = { cmd: '/bin/bash', args: ['-c', source], envs: env, cwd };
  const start = { config, user: 'user', stdin: stdin.length > 0 };
  const process = await processes.start(
    start,
    event => {
      if (event.type === 'data') collected[event.kind].push(Uint8Array.from(event.bytes));
    },
    stop,
  );
  const { control } = process;
  const fed = stdin.length > 0 ? control.write(stdin).then(() => control.closeStdin()) : undefined;
  fed?.catch(() => {});
  const outcome = process.ended().then(exit => ({
    exitCode: exit.kind === 'exited' ? exit.code : KILLED,
    stdout: Buffer.concat(collected.stdout),
    stderr: Buffer.concat(collected.stderr),
  }));
  return { outcome, signal: name => control.signal(name) };
}

/** Ends early, and quietly, when the signal aborts. */
export const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  setTimeout(Math.min(ms, MAX_TIMER_MS), undefined, { ref: false, signal }).catch(() => {});
