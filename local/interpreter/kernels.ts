// What runs cells: Python and JavaScript in an interpreter that stays, bash as a script a cell, and a clear word for the
// languages that local mode lacks.
import type { CellOutput } from '../machine/code-contexts.ts';
import type { DataMachine } from '../machine/machine.ts';
import { sleep } from '../programs/children.ts';
import { Guest } from '../programs/guest.ts';
import type { Cell, CellEvent, Language } from '../programs/operations.ts';

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
      return new Absent(language);
  }
}

class Absent implements Kernel {
  readonly #language: Language;
  constructor(language: Language) {
    this.#language = language;
  }
  async execute(_cell: Cell, output: CellOutput): Promise<boolean> {
    const name = this.#language === 'r' ? 'R' : 'Java';
    const value = `local mode, a stand-in for E2B, has no ${name}: use python, javascript, typescript or bash here`;
    await output.event({ type: 'error', name: 'LanguageNotAvailable', value, traceback: value });
    return true;
  }
  async close(): Promise<void> {}
}

type Current = { cell: Cell; output: CellOutput; done: (alive: boolean) => void };

class GuestKernel implements Kernel {
  #guest: Guest | undefined;
  #ended = false;
  #current: Current | undefined;
  /** The guest waits for the next cell. */
  #give: ((cell: Cell | null) => void) | undefined;
  #decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };

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
        output: (kind, bytes) => kernel.#output(kind, bytes),
        stdin: async () => undefined,
        event: async event => kernel.#current?.output.event(named(event)),
        cell: () => kernel.#next(),
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
      this.#current = { cell, output, done: resolve };
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

  #next(): Promise<Cell | null> {
    return new Promise(resolve => {
      this.#give = resolve;
      this.#hand();
    });
  }

  #hand(): void {
    if (this.#give === undefined || this.#current === undefined) return;
    const give = this.#give;
    this.#give = undefined;
    give(this.#current.cell);
  }

  #finish(alive: boolean): void {
    const current = this.#current;
    this.#current = undefined;
    this.#decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
    current?.done(alive);
  }

  async #output(kind: 'stdout' | 'stderr', bytes: Uint8Array): Promise<void> {
    const text = this.#decoders[kind].decode(bytes, { stream: true });
    if (text !== '') await this.#current?.output.text(kind, text);
  }
}

/** Each cell a script of its own: variables do not outlast it, files do. */
function bashKernel(machine: DataMachine, cwd: string): Kernel {
  return {
    async execute({ code, envs }, output, stop) {
      const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder(), pty: new TextDecoder() };
      const config = { cmd: '/bin/bash', args: ['-c', code], envs, cwd };
      const process = await machine.processes.start({ config, user: 'user', stdin: false }, async event => {
        if (event.type === 'end' || event.kind === 'pty') return;
        await output.text(event.kind, decoders[event.kind].decode(event.bytes, { stream: true }));
      });
      const kill = (): void => machine.processes.find({ pid: process.pid })?.control.signal('SIGKILL');
      stop.addEventListener('abort', kill, { once: true });
      const exit = await process.ended();
      stop.removeEventListener('abort', kill);
      if (exit.kind === 'exited' && exit.code !== 0) {
        const value = `exit status ${exit.code}`;
        await output.event({ type: 'error', name: 'BashError', value, traceback: value });
      }
      return true;
    },
    close: async () => {},
  };
}
