// `sbx.commands`, as in the SDK, except that a command that fails returns a result instead of throwing.
import { type Call, dataOf, hide, hint, type Options, plain } from './calls.ts';
import { type Listening, listenTo } from './listening.ts';
import { alsoNamed, OF_COMMAND } from './misnamed.ts';
import { rejecting, suggestNames } from './names.ts';

type Result = { exitCode: number; stdout: string; stderr: string; error?: string };
type Started = { readonly pid: number; readonly logPath?: string };

/** The name of an option -> the kind of event for its callback. */
const CALLBACKS = { onStdout: ['stdout'], onStderr: ['stderr'] } as const;
const CALLBACK_NAMES = [...Object.keys(CALLBACKS), 'onPty'];

const notYet = () => {
  throw new TypeError(
    'The output is not kept here while it runs: await p.output() gives what it printed so far, await p.wait() its result, and onStdout gets each piece.',
  );
};

/** A command in the background. Reading stdout throws until it is known: '' would look as if nothing was printed. */
class CommandHandle {
  readonly pid: number;
  /** A file in the sandbox to which the command's output is written as well. */
  readonly logPath?: string;
  exitCode: number | undefined;

  constructor(call: Call, sandboxId: string, { pid, logPath }: Started, listening: Listening | undefined) {
    this.pid = pid;
    if (logPath !== undefined) this.logPath = logPath;
    for (const name of ['stdout', 'stderr']) Object.defineProperty(this, name, { get: notYet, configurable: true });
    const learn = ({ stdout, stderr, ...end }: Result): void => {
      hide(this, { stdout, stderr });
      Object.assign(this, end);
    };
    hide(this, {
      wait: async (options?: unknown) => {
        const waiting = call('commands.wait', { sandboxId, pid, opts: plain(options) });
        const result = (await (listening?.until(waiting) ?? waiting)) as Result;
        learn(result);
        return alsoNamed(result, OF_COMMAND);
      },
      output: async () => {
        const soFar = (await call('commands.output', { sandboxId, pid })) as Result;
        learn(soFar);
        return soFar;
      },
      kill: () => call('commands.kill', { sandboxId, pid }),
      disconnect: () => {
        listening?.stop();
        return call('commands.disconnect', { sandboxId, pid });
      },
      sendStdin: (data: unknown) =>
        call('commands.sendStdin', { sandboxId, pid, data: dataOf(data, 'sendStdin(data): data') }),
      closeStdin: () => call('commands.closeStdin', { sandboxId, pid }),
    });
  }
}

export class Commands {
  readonly #call: Call;
  readonly #sandboxId: string;

  constructor(call: Call, sandboxId: string) {
    this.#call = call;
    this.#sandboxId = sandboxId;
  }

  #ask(method: string, options: unknown, args: object = {}): Promise<unknown> {
    return this.#call(`commands.${method}`, { sandboxId: this.#sandboxId, ...args, opts: plain(options) });
  }

  async run(cmd: unknown, options?: unknown): Promise<unknown> {
    if (typeof cmd !== 'string' || Array.isArray(options))
      throw new TypeError(
        "commands.run(cmd, options): cmd is one string, arguments included, e.g. commands.run('echo a b').",
      );
    const opts: Options = plain(options, CALLBACK_NAMES);
    const listening = listenTo(options, CALLBACKS);
    const args = { sandboxId: this.#sandboxId, cmd, opts, ...listening?.asked };
    const running = this.#call('commands.run', args, listening?.onEvent);
    if (opts.background === true) return this.#handle(running, listening);
    return alsoNamed(await (listening?.until(running) ?? running), OF_COMMAND);
  }

  async connect(pid: number, options?: unknown): Promise<CommandHandle> {
    const opts = plain(options, CALLBACK_NAMES);
    const listening = listenTo(options, CALLBACKS);
    const args = { sandboxId: this.#sandboxId, pid, opts, ...listening?.asked };
    return this.#handle(this.#call('commands.connect', args, listening?.onEvent), listening);
  }

  async #handle(started: Promise<unknown>, listening: Listening | undefined): Promise<CommandHandle> {
    listening?.stayOpen();
    try {
      return new CommandHandle(this.#call, this.#sandboxId, (await started) as Started, listening);
    } catch (error) {
      listening?.stop();
      throw error;
    }
  }

  list(options?: unknown) {
    return this.#ask('list', options);
  }

  kill(pid: unknown, options?: unknown) {
    return this.#ask('kill', options, { pid });
  }

  async sendStdin(pid: unknown, data: unknown, options?: unknown): Promise<void> {
    await this.#ask('sendStdin', options, { pid, data: dataOf(data, 'sendStdin(pid, data): data') });
  }

  async closeStdin(pid: unknown, options?: unknown): Promise<void> {
    await this.#ask('closeStdin', options, { pid });
  }
}

rejecting(Commands.prototype);
suggestNames(Commands.prototype, 'commands');
hint(Commands.prototype, 'method', [
  ["Use commands.run('…').", 'exec execute'],
  ["Use commands.run('…', { background: true }).", 'start runInBackground run_background'],
]);
