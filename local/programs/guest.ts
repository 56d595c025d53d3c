// One interpreter in a worker thread, from the host's side: starts it, answers its calls, interrupts it, ends it; and
// `python3 …` and `node …` in a virtual shell, each with one of its own.
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { DataMachine, Language, RunProgram } from '../machine/machine.ts';
import { Deferred, onAbort } from '../time.ts';
import { type GuestIo, HostCalls } from './host-calls.ts';
import { type Interpreter, interpreter } from './interpreters.ts';
import { answerWorker, WAKE_BYTES, type WorkerStart } from './protocol.ts';

export type GuestStart = Pick<WorkerStart, 'args' | 'cwd' | 'env'> & { readonly language: Language };

const SIGINT = 2;
/** Of all sandboxes together: each holds tens of megabytes. */
const MAX_GUESTS = 32;
let guests = 0;

export class Guest {
  /** The exit code; 137 when it was ended from here. Never rejects. */
  readonly exited: Promise<number>;
  readonly calls: HostCalls;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #signals: Uint8Array;

  private constructor({ url, data }: Interpreter, start: Partial<WorkerStart>, calls: HostCalls) {
    this.calls = calls;
    const { port1, port2 } = new MessageChannel();
    const wake = new SharedArrayBuffer(WAKE_BYTES);
    const signals = new SharedArrayBuffer(1);
    this.#port = port1;
    this.#signals = new Uint8Array(signals);
    answerWorker(port1, wake, request => calls.answer(request));
    this.#worker = new Worker(url, {
      workerData: { ...data, ...start, port: port2, wake, signals },
      transferList: [port2],
      // Nothing of the gateway's environment, and none of its output.
      env: {},
      execArgv: [],
      stdin: true,
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: 512 },
    });
    guests += 1;
    this.#worker.once('exit', () => {
      guests -= 1;
    });
    this.#worker.unref();
    port1.unref();
    this.exited = new Promise(resolve => {
      let failure: number | undefined;
      this.#worker.once('error', error => {
        failure = 1;
        calls.crashed(error);
      });
      this.#worker.once('exit', code => {
        // What it printed last may not have been delivered yet.
        for (let rest = receiveMessageOnPort(port1); rest !== undefined; rest = receiveMessageOnPort(port1)) {
          void calls.answer(rest.message);
        }
        calls.close();
        port1.close();
        void calls.written().then(() => resolve(failure ?? code));
      });
    });
  }

  static async start(machine: DataMachine, { language, ...start }: GuestStart, io: GuestIo): Promise<Guest> {
    const kind = await interpreter(language);
    if (guests >= MAX_GUESTS) throw new Error(`local mode runs no more than ${MAX_GUESTS} interpreters at once`);
    return new Guest(kind, start, new HostCalls(machine, io));
  }

  /** Ctrl-C: whatever it does or waits for is broken off, if it lets itself. */
  interrupt(): void {
    this.#signals[0] = SIGINT;
    this.calls.interrupt();
  }

  /** Whatever it does. */
  async kill(): Promise<void> {
    this.calls.close();
    await this.#worker.terminate();
    this.#port.close();
  }
}

const VERSIONS: Readonly<Record<Language, string>> = { python: 'Python 3.13.2', javascript: 'v20.0.0' };
const KILLED = 137;
const CANNOT_START = 126;

export function programRunner(machine: DataMachine): RunProgram {
  return async (language, args, io) => {
    if (/^(--version|-V|-v)$/.test(args[0] ?? '')) {
      await io.output('stdout', Buffer.from(`${VERSIONS[language]}\n`));
      return 0;
    }
    if (io.signal.aborted) return KILLED;
    const started = machine.network?.starting() ?? (() => {});
    let guest: Guest;
    try {
      const { cwd, env } = io;
      guest = await Guest.start(machine, { language, args, cwd, env }, { ...io, awake: started });
    } catch (caught) {
      started();
      await io.output('stderr', Buffer.from(`${caught instanceof Error ? caught.message : 'it could not start'}\n`));
      return CANNOT_START;
    }
    // The thread's end is not waited for: just-bash gives what was aborted little time to come back.
    const killed = new Deferred<number>();
    const off = onAbort(io.signal, () => {
      killed.resolve(KILLED);
      void guest.kill();
    });
    const code = await Promise.race([killed.promise, guest.exited]);
    off();
    started();
    return code;
  };
}
