// `sbx.commands`, as in the SDK; but a command that fails is a result, and output comes with it, not as it is printed.
import { type Call, dataOf, hide, hint, type Options, plain } from './calls.ts';
import { rejecting, suggestNames } from './names.ts';

type Result = { exitCode: number; stdout: string; stderr: string; error?: string };
type Started = { readonly pid: number; readonly logPath?: string };
type Listeners = { onStdout?: (text: string) => unknown; onStderr?: (text: string) => unknown };

const CALLBACKS = ['onStdout', 'onStderr', 'onPty'];

const listenersOf = (options: unknown): Listeners => (options ?? {}) as Listeners;

/** Callbacks get the whole output at the end: there is no stream between the sandbox and this code. */
async function tell({ onStdout, onStderr }: Listeners, { stdout, stderr }: Result): Promise<void> {
  if (typeof onStdout === 'function' && stdout) await onStdout(stdout);
  if (typeof onStderr === 'function' && stderr) await onStderr(stderr);
}

const notYet = () => {
  throw new TypeError(
    'Nothing streams here: await p.output() tells what it printed so far, await p.wait() its result.',
  );
};

/** A command in the background. An empty stdout would pass for one that printed nothing, so it throws until it is known. */
class CommandHandle {
  readonly pid: number;
  /** A file in the sandbox that has its output too, and keeps it. */
  readonly logPath?: string;
  exitCode: number | undefined;

  constructor(call: Call, sandboxId: string, { pid, logPath }: Started, listeners: Listeners) {
    this.pid = pid;
    if (logPath !== undefined) this.logPath = logPath;
    for (const name of ['stdout', 'stderr']) Object.defineProperty(this, name, { get: notYet, configurable: true });
    const learn = ({ stdout, stderr, ...end }: Result): void => {
      hide(this, { stdout, stderr });
      Object.assign(this, end);
    };
    hide(this, {
      wait: async (options?: unknown) => {
        const result = (await call('commands.wait', { sandboxId, pid, opts: plain(options) })) as Result;
        learn(result);
        await tell(listeners, result);
        return result;
      },
      output: async () => {
        const soFar = (await call('commands.output', { sandboxId, pid })) as Result;
        learn(soFar);
        return soFar;
      },
      kill: () => call('commands.kill', { sandboxId, pid }),
      disconnect: () => call('commands.disconnect', { sandboxId, pid }),
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

  async run(cmd: unknown, options?: unknown): Promise<unknown> {
    if (typeof cmd !== 'string' || Array.isArray(options))
      throw new TypeError(
        "commands.run(cmd, options): cmd is one string, arguments included, e.g. commands.run('echo a b').",
      );
    const opts: Options = plain(options, CALLBACKS);
    const ran = await this.#call('commands.run', { sandboxId: this.#sandboxId, cmd, opts });
    const listeners = listenersOf(options);
    if (opts.background === true) {
      return new CommandHandle(this.#call, this.#sandboxId, ran as Started, listeners);
    }
    await tell(listeners, ran as Result);
    return ran;
  }

  async connect(pid: number, options?: unknown): Promise<CommandHandle> {
    const opts = plain(options, CALLBACKS);
    const found = await this.#call('commands.connect', { sandboxId: this.#sandboxId, pid, opts });
    return new CommandHandle(this.#call, this.#sandboxId, found as Started, listenersOf(options));
  }

  list(options?: unknown) {
    return this.#call('commands.list', { sandboxId: this.#sandboxId, opts: plain(options) });
  }

  kill(pid: unknown, options?: unknown) {
    return this.#call('commands.kill', { sandboxId: this.#sandboxId, pid, opts: plain(options) });
  }

  async sendStdin(pid: unknown, data: unknown, options?: unknown): Promise<void> {
    const sent = dataOf(data, 'sendStdin(pid, data): data');
    await this.#call('commands.sendStdin', { sandboxId: this.#sandboxId, pid, data: sent, opts: plain(options) });
  }

  async closeStdin(pid: unknown, options?: unknown): Promise<void> {
    await this.#call('commands.closeStdin', { sandboxId: this.#sandboxId, pid, opts: plain(options) });
  }
}

const RUN = "Use commands.run('…').";
rejecting(Commands.prototype);
suggestNames(Commands.prototype, 'commands');
hint(Commands.prototype, { exec: RUN, execute: RUN, start: "Use commands.run('…', { background: true })." }, 'method');
