// What runs cells: Python and JavaScript in an interpreter that stays, bash as a script a cell, and a clear word for the
// languages that local mode lacks.
import type { DataMachine } from '../machine/machine.ts';
import { asText, type Listener } from '../machine/processes.ts';
import { sleep } from '../programs/children.ts';
import { Guest } from '../programs/guest.ts';
import type { Cell, CellEvent, Language } from '../programs/operations.ts';

export type CellOutput = {
  text(kind: 'stdout' | 'stderr', text: string): Promise<void>;
  event(event: CellEvent): Promise<void>;
};

export interface Kernel {
  /** False when the state is lost and the kernel has to be started anew. */
  execute(cell: Cell, output: CellOutput, stop: AbortSignal): Promise<boolean>;
  close(): Promise<void>;
}

/** E2B's names for what a result looks like in each format. */
const NAMES: Readonly<Record<string, string>> = {
  'text/plain': 'text',
  'text/html': 'html',
  'text/markdown': 'markdown',
  'image/svg+xml': 'svg',
  'image/png': 'png',
  'image/jpeg': 'jpeg',
  'application/pdf': 'pdf',
  'text/latex': 'latex',
  'application/json': 'json',
  'application/javascript': 'javascript',
  'e2b/chart': 'chart',
  'e2b/data': 'data',
};

const named = (event: CellEvent) =>
  Object.fromEntries(Object.entries(event).map(([mime, shown]) => [NAMES[mime] ?? mime, shown])) as CellEvent;

/** An interrupted cell has this long to end by itself, keeping the context's state. */
const INTERRUPT_GRACE_MS = 2_500;

export async function startKernel(language: Language, machine: DataMachine, cwd: string): Promise<Kernel> {
  switch (language) {
    case 'python':
    case 'javascript':
    case 'typescript':
      return GuestKernel.start(language === 'python' ? 'python' : 'javascript', machine, cwd);
    case 'bash':
      return bashKernel(machine, cwd);
    default:
      return absent(language === 'r' ? 'R' : 'Java');
  }
}

function absent(name: string): Kernel {
  const value = `local mode, a stand-in for E2B, has no ${name}: use python, javascript, typescript or bash here`;
  return {
    async execute(_cell, output) {
      await output.event({ type: 'error', name: 'LanguageNotAvailable', value, traceback: value });
      return true;
    },
    close: async () => {},
  };
}

type Current = {
  readonly cell: Cell;
  readonly output: CellOutput;
  readonly print: Listener;
  readonly done: (alive: boolean) => void;
};

class GuestKernel implements Kernel {
  #guest: Guest | undefined;
  #ended = false;
  #current: Current | undefined;
  /** The guest waits for the next cell. */
  #give: ((cell: Cell) => void) | undefined;

  static async start(language: 'python' | 'javascript', machine: DataMachine, cwd: string): Promise<GuestKernel> {
    const kernel = new GuestKernel();
    const env = {
      HOME: '/home/user',
      USER: 'user',
      LANG: 'C.UTF-8',
      PATH: '/usr/local/bin:/usr/bin:/bin',
      ...machine.envVars,
    };
    kernel.#guest = await Guest.start(
      machine,
      { language, args: undefined, cwd, env },
      {
        output: async (kind, bytes) => kernel.#current?.print({ type: 'data', kind, bytes }),
        stdin: async () => undefined,
        event: async event => kernel.#current?.output.event(named(event)),
        cell: () =>
          new Promise(resolve => {
            kernel.#give = resolve;
            kernel.#hand();
          }),
        cellDone: () => kernel.#finish(true),
      },
    );
    void kernel.#guest.exited.then(() => {
      kernel.#ended = true;
      kernel.#finish(false);
    });
    return kernel;
  }

  async execute(cell: Cell, output: CellOutput, stop: AbortSignal): Promise<boolean> {
    if (this.#ended) return false;
    const over = new Promise<boolean>(resolve => {
      this.#current = { cell, output, print: asText(output.text), done: resolve };
    });
    this.#hand();
    const interrupt = (): void => void this.#interrupt(over);
    stop.addEventListener('abort', interrupt, { once: true });
    if (stop.aborted) interrupt();
    const alive = await over;
    stop.removeEventListener('abort', interrupt);
    return alive;
  }

  async close(): Promise<void> {
    await this.#guest?.kill();
    this.#finish(false);
  }

  async #interrupt(over: Promise<boolean>): Promise<void> {
    this.#guest?.interrupt();
    const ended = new AbortController();
    void over.then(() => ended.abort());
    await sleep(INTERRUPT_GRACE_MS, ended.signal);
    if (!ended.signal.aborted) await this.close();
  }

  /** When the guest waits and there is a cell. */
  #hand(): void {
    if (this.#current === undefined) return;
    this.#give?.(this.#current.cell);
    this.#give = undefined;
  }

  #finish(alive: boolean): void {
    const current = this.#current;
    this.#current = undefined;
    current?.done(alive);
  }
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
