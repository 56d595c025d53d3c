// The child processes of a guest: scripts of the sandbox's shell, waited for or run beside the guest's program.
import { setTimeout } from 'node:timers/promises';
import type { DataMachine } from '../machine/machine.ts';
import type { OutputKind } from '../machine/processes.ts';
import type { Args, Ran } from './operations.ts';
import { HostFailure } from './protocol.ts';

type Signal = Args<'signal'>['name'];
type Child = { readonly outcome: Promise<Ran>; readonly signal: (name: Signal) => void };

const MAX_CHILDREN = 64;
const KILLED = 137;
const MAX_TIMER_MS = 2_147_483_647;

export class Children {
  readonly #machine: DataMachine;
  /** They end with the guest. */
  readonly #closed: AbortSignal;
  readonly #children = new Map<number, Child>();
  #nextId = 1;

  constructor(machine: DataMachine, closed: AbortSignal) {
    this.#machine = machine;
    this.#closed = closed;
  }

  async start({ source, cwd, env, stdin }: Args<'spawn'>): Promise<Child> {
    const collected: Record<OutputKind, Uint8Array[]> = { stdout: [], stderr: [], pty: [] };
    const config = { cmd: '/bin/bash', args: ['-c', source], envs: env, cwd };
    const process = await this.#machine.processes.start({ config, user: 'user', stdin: stdin.length > 0 }, event => {
      if (event.type === 'data') collected[event.kind].push(Uint8Array.from(event.bytes));
    });
    const control = this.#machine.processes.find({ pid: process.pid })?.control;
    if (stdin.length > 0) {
      control?.write(stdin).then(
        () => control.closeStdin(),
        () => {},
      );
    }
    const kill = (): void => control?.signal('SIGKILL');
    this.#closed.addEventListener('abort', kill, { once: true });
    const outcome = process.ended().then(exit => {
      this.#closed.removeEventListener('abort', kill);
      return {
        exitCode: exit.kind === 'exited' ? exit.code : KILLED,
        stdout: Buffer.concat(collected.stdout),
        stderr: Buffer.concat(collected.stderr),
      };
    });
    return { outcome, signal: name => control?.signal(name) };
  }

  async spawn(args: Args<'spawn'>): Promise<number> {
    if (this.#children.size >= MAX_CHILDREN) throw new HostFailure('resource_exhausted', 'too many child processes');
    const id = this.#nextId++;
    this.#children.set(id, await this.start(args));
    return id;
  }

  /** Null: it still runs after so long. */
  async wait(id: number, timeoutMs: number | null, giveUp: AbortSignal): Promise<Ran | null> {
    const outcome = this.#children.get(id)?.outcome;
    if (outcome === undefined) throw new HostFailure('not_found', 'no such child process');
    const late = timeoutMs === null ? [] : [sleep(timeoutMs, giveUp).then(() => null)];
    const ran = await Promise.race([outcome, ...late]);
    if (ran !== null) this.#children.delete(id);
    return ran;
  }

  signal(id: number, name: Signal): void {
    this.#children.get(id)?.signal(name);
  }
}

/** Ends early, and quietly, when the signal aborts. */
export const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  setTimeout(Math.min(ms, MAX_TIMER_MS), undefined, { ref: false, signal }).catch(() => {});
