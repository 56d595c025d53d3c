// The processes of one sandbox: who runs, who listens to whom, how each ended. A shell starts them (virtual or real)
// and reports here; the process service reads here. Knows neither HTTP nor shells.
import { setTimeout as sleep } from 'node:timers/promises';
import { Deferred, onAbort } from '../time.ts';
import { Failure } from './failure.ts';

export type ProcessConfig = {
  readonly cmd: string;
  readonly args: readonly string[];
  readonly envs: Readonly<Record<string, string>>;
  readonly cwd?: string | undefined;
};

export type TerminalSize = { readonly cols: number; readonly rows: number };

export type StartOptions = {
  readonly config: ProcessConfig;
  /** Where it starts. Undefined: the config's, from the user's home. */
  readonly cwd?: string | undefined;
  readonly user: string;
  readonly tag?: string | undefined;
  /** False: the process reads from /dev/null. */
  readonly stdin: boolean;
  readonly terminal?: TerminalSize | undefined;
};

export type Signal = 'SIGKILL' | 'SIGTERM';
export type OutputKind = 'stdout' | 'stderr' | 'pty';
export type Exit =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signalled'; readonly signal: string };

export type ProcessEvent =
  | { readonly type: 'data'; readonly kind: OutputKind; readonly bytes: Uint8Array }
  | { readonly type: 'end'; readonly exit: Exit };

/** What a shell gives for a process it has started. */
export interface ProcessControl {
  /** The operating system's, where there is one. */
  readonly pid?: number | undefined;
  /** Resolves when the process (or its pipe) has taken all of it. Rejects when stdin is closed. */
  write(bytes: Uint8Array): Promise<void>;
  closeStdin(): void;
  signal(signal: Signal): void;
  resize?(size: TerminalSize): void;
}

/** Starts a process and reports to it. Rejects with a Failure when it cannot be started. */
export type Shell = (process: Process, options: StartOptions) => Promise<ProcessControl>;

export type Listener = (event: ProcessEvent) => unknown;

/** A listener for output as text, each stream decoded by itself. */
export function asText(onText: (kind: 'stdout' | 'stderr', text: string) => Promise<void> | void): Listener {
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  return event => {
    if (event.type === 'end' || event.kind === 'pty') return;
    const text = decoders[event.kind].decode(event.bytes, { stream: true });
    return text === '' ? undefined : onText(event.kind, text);
  };
}

/** How long the exit of a process is kept for clients that connect late. */
const EXIT_KEPT_MS = 30_000;
const MAX_PROCESSES = 256;
/** The daemon sends output in pieces of this size at most. */
const OUTPUT_BYTES = 32 * 1024;

export class Process {
  /** A number of our own, until a shell has a real one. */
  pid: number;
  readonly config: ProcessConfig;
  readonly tag: string | undefined;
  /** Until the shell has started it, it takes nothing. */
  control: ProcessControl = { write: async () => {}, closeStdin: () => {}, signal: () => {} };
  readonly #listeners = new Set<Listener>();
  exit: Exit | undefined;

  constructor(pid: number, { config, tag }: StartOptions) {
    this.pid = pid;
    this.config = config;
    this.tag = tag;
  }

  /** Output from now on; the end, also if it has come already. */
  listen(listener: Listener): () => void {
    if (this.exit === undefined) this.#listeners.add(listener);
    else void listener({ type: 'end', exit: this.exit });
    return () => this.#listeners.delete(listener);
  }

  /** For shells. Resolves when every listener took it: output waits for slow readers and is dropped without any. */
  async output(kind: OutputKind, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += OUTPUT_BYTES) {
      const part = bytes.subarray(at, at + OUTPUT_BYTES);
      await Promise.all(Array.from(this.#listeners, listener => listener({ type: 'data', kind, bytes: part })));
    }
  }

  /** For shells, once, after the last output. */
  end(exit: Exit): void {
    this.exit ??= exit;
    for (const listener of this.#listeners) void listener({ type: 'end', exit });
    this.#listeners.clear();
  }

  async ended(): Promise<Exit> {
    const exit = new Deferred<Exit>();
    this.listen(event => event.type === 'end' && exit.resolve(event.exit));
    return exit.promise;
  }
}

export type Selector = { readonly pid?: number | undefined; readonly tag?: string | undefined };

export class ProcessTable {
  readonly #shell: Shell;
  /** Those that run, and those that have lately ended. */
  readonly #processes = new Map<number, Process>();
  #nextPid = 1000;

  constructor(shell: Shell) {
    this.#shell = shell;
  }

  /**
   * `listener` receives everything from the first byte on; `stop` kills it. Rejects when there are too many or the shell
   * cannot start it.
   */
  async start(options: StartOptions, listener: Listener, stop?: AbortSignal): Promise<Process> {
    if (this.list().length >= MAX_PROCESSES) {
      throw new Failure('resource_exhausted', `more than ${MAX_PROCESSES} processes in this sandbox`);
    }
    this.#nextPid += 1;
    const process = new Process(this.#nextPid, options);
    process.listen(listener);
    process.control = await this.#shell(process, options);
    process.pid = process.control.pid ?? process.pid;
    this.#processes.set(process.pid, process);
    const off = stop && onAbort(stop, () => process.control.signal('SIGKILL'));
    void process.ended().then(() => {
      off?.();
      setTimeout(() => this.#processes.delete(process.pid), EXIT_KEPT_MS).unref();
    });
    return process;
  }

  list(): Process[] {
    return Array.from(this.#processes.values()).filter(process => process.exit === undefined);
  }

  /** One that runs; `ended`: or that has lately ended. */
  find({ pid, tag }: Selector, { ended = false } = {}): Process | undefined {
    const found = Array.from(this.#processes.values()).filter(each =>
      pid === undefined ? each.tag === tag : each.pid === pid,
    );
    return found.find(each => each.exit === undefined) ?? (ended ? found[0] : undefined);
  }

  /** Resolves when all have ended (a second after the kill at the latest: a stuck one is abandoned). */
  async killAll(): Promise<void> {
    const running = this.list();
    for (const { control } of running) control.signal('SIGKILL');
    const ends = Promise.all(running.map(process => process.ended()));
    await Promise.race([ends, sleep(1_000, undefined, { ref: false })]);
    for (const process of running) process.end({ kind: 'signalled', signal: 'killed' });
  }
}
