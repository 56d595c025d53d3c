// What runs cells: Python and JavaScript in an interpreter that stays, bash as a script a cell.
import { setTimeout as sleep } from 'node:timers/promises';
import type { DataMachine } from '../machine/machine.ts';
import { asText, type Listener } from '../machine/processes.ts';
import { Guest } from '../programs/guest.ts';
import type { Cell, CellEvent, Language } from '../programs/operations.ts';
import { Deferred, onAbort } from '../time.ts';

export type CellOutput = {
  text(kind: 'stdout' | 'stderr', text: string): Promise<void>;
  event(event: CellEvent): Promise<void>;
};

export interface Kernel {
  /** False when the state is lost and the kernel has to be started anew. */
  execute(cell: Cell, output: CellOutput, stop: AbortSignal): Promise<boolean>;
  close(): Promise<void>;
}

const FORMAT =
  /^(?:text|image|application|e2b)\/(html|markdown|latex|svg|png|jpeg|pdf|json|javascript|chart|data)(?:\+xml)?$/;

/** By E2B's names for the formats of a result: `html` for text/html. */
const named = (event: CellEvent) =>
  Object.fromEntries(
    Object.entries(event).map(([mime, shown]) => [mime === 'text/plain' ? 'text' : mime.replace(FORMAT, '$1'), shown]),
  ) as CellEvent;

/** An interrupted cell has this long to end by itself, keeping the context's state. */
const INTERRUPT_GRACE_MS = 2_500;

/** @throws Error for the languages that local mode lacks */
export async function startKernel(language: Language, machine: DataMachine, cwd: string): Promise<Kernel> {
  switch (language) {
    case 'python':
    case 'javascript':
    case 'typescript':
      return guestKernel(language === 'python' ? 'python' : 'javascript', machine, cwd);
    case 'bash':
      return bashKernel(machine, cwd);
    default:
      throw new Error(
        `local mode has no ${language === 'r' ? 'R' : 'Java'}: use python, javascript, typescript or bash`,
      );
  }
}

type Current = { readonly output: CellOutput; readonly print: Listener; readonly alive: Deferred<boolean> };

async function guestKernel(language: 'python' | 'javascript', machine: DataMachine, cwd: string): Promise<Kernel> {
  let current: Current | undefined;
  let next = new Deferred<Cell>();
  let ended = false;
  const finish = (alive: boolean): void => {
    current?.alive.resolve(alive);
    current = undefined;
  };
  const home = { HOME: '/home/user', USER: 'user', LANG: 'C.UTF-8', PATH: '/usr/local/bin:/usr/bin:/bin' };
  const guest = await Guest.start(
    machine,
    { language, args: undefined, cwd, env: { ...home, ...machine.envVars } },
    {
      output: async (kind, bytes) => void (await current?.print({ type: 'data', kind, bytes })),
      stdin: async () => undefined,
      event: async event => current?.output.event(named(event)),
      async cell() {
        const cell = await next.promise;
        next = new Deferred();
        return cell;
      },
      cellDone: () => finish(true),
    },
  );
  void guest.exited.then(() => {
    ended = true;
    finish(false);
  });
  const close = async (): Promise<void> => {
    await guest.kill();
    finish(false);
  };
  return {
    close,
    async execute(cell, output, stop) {
      if (ended) return false;
      const alive = new Deferred<boolean>();
      current = { output, print: asText(output.text), alive };
      next.resolve(cell);
      const off = onAbort(stop, async () => {
        guest.interrupt();
        await Promise.race([alive.promise, sleep(INTERRUPT_GRACE_MS, undefined, { ref: false })]);
        if (current?.alive === alive) await close();
      });
      return alive.promise.finally(off);
    },
  };
}

/** Each cell a script of its own: variables do not outlast it, files do. */
function bashKernel(machine: DataMachine, cwd: string): Kernel {
  return {
    async execute({ code, envs }, output, stop) {
      const start = { config: { cmd: '/bin/bash', args: ['-c', code], envs, cwd }, user: 'user', stdin: false };
      const exit = await (await machine.processes.start(start, asText(output.text), stop)).ended();
      if (exit.kind === 'exited' && exit.code !== 0) {
        const value = `exit status ${exit.code}`;
        await output.event({ type: 'error', name: 'BashError', value, traceback: value });
      }
      return true;
    },
    close: async () => {},
  };
}
