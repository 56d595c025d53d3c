// The code contexts of one machine: an interpreter each that keeps its state, a queue of cells, an end. Which language
// runs how, kernels.ts says. Knows no HTTP.
import { randomUUID } from 'node:crypto';
import { posix } from 'node:path';
import type { CellOutput, CellRequest, CodeContexts, Context } from '../machine/code-contexts.ts';
import type { DataMachine } from '../machine/machine.ts';
import type { Language } from '../programs/protocol.ts';
import { type Kernel, startKernel } from './kernels.ts';

type Entry = {
  readonly context: Context;
  readonly language: Language;
  kernel: Promise<Kernel> | undefined;
  executions: number;
  turn: Promise<unknown>;
  removed: boolean;
};

export class ContextError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const MAX_CONTEXTS = 16;
export const DEFAULT_CWD = '/home/user';

/** What SDKs and people call them -> what runs them. */
const LANGUAGES: Readonly<Record<string, Language>> = {
  python: 'python',
  python3: 'python',
  javascript: 'javascript',
  js: 'javascript',
  typescript: 'typescript',
  ts: 'typescript',
  bash: 'bash',
  r: 'r',
  java: 'java',
};

export class Contexts implements CodeContexts {
  readonly #machine: DataMachine;
  readonly #entries = new Map<string, Entry>();
  /** A language's own context, made when it is first used; JavaScript and TypeScript share one. */
  readonly #defaults = new Map<string, string>();

  constructor(machine: DataMachine) {
    this.#machine = machine;
  }

  list(): Context[] {
    return Array.from(this.#entries.values(), entry => entry.context);
  }

  /** @throws ContextError */
  async create(language = 'python', cwd = DEFAULT_CWD): Promise<Context> {
    const known = LANGUAGES[language.toLowerCase()];
    if (known === undefined) throw new ContextError(400, `local mode has no language ${language}`);
    if (this.#entries.size >= MAX_CONTEXTS) throw new ContextError(429, `more than ${MAX_CONTEXTS} contexts`);
    const path = posix.resolve(DEFAULT_CWD, cwd);
    await this.#machine.files.makeDir(path).catch(() => {});
    const context = { id: randomUUID(), language: language.toLowerCase(), cwd: path };
    const entry = {
      context,
      language: known,
      kernel: undefined,
      executions: 0,
      turn: Promise.resolve(),
      removed: false,
    };
    this.#entries.set(context.id, entry);
    return context;
  }

  /** The context asked for, else the language's own. @throws ContextError */
  async find(id: string | undefined, language: string | undefined): Promise<Context> {
    if (id !== undefined) return this.#entry(id).context;
    const name = LANGUAGES[(language ?? 'python').toLowerCase()];
    const key = name === 'typescript' ? 'javascript' : (name ?? language ?? '');
    const existing = this.#entries.get(this.#defaults.get(key) ?? '');
    if (existing !== undefined) return existing.context;
    const context = await this.create(language);
    this.#defaults.set(key, context.id);
    return context;
  }

  /** @throws ContextError */
  async execute(
    id: string,
    cell: CellRequest,
    output: CellOutput & { started(count: number): void },
    stop: AbortSignal,
  ): Promise<void> {
    const entry = this.#entry(id);
    const run = entry.turn.then(() => this.#run(entry, cell, output, stop));
    entry.turn = run.catch(() => {});
    await run;
  }

  async #run(
    entry: Entry,
    cell: CellRequest,
    output: CellOutput & { started(count: number): void },
    stop: AbortSignal,
  ): Promise<void> {
    if (stop.aborted || entry.removed) return;
    entry.executions += 1;
    output.started(entry.executions);
    const { cwd } = entry.context;
    entry.kernel ??= startKernel(entry.language, this.#machine, cwd);
    const kernel = await entry.kernel.catch(async (caught: unknown) => {
      this.#reset(entry);
      const value = caught instanceof Error ? caught.message : 'the interpreter could not start';
      await output.event({ type: 'error', name: 'KernelNotStarted', value, traceback: value });
    });
    if (kernel === undefined) return;
    const language = LANGUAGES[(cell.language ?? entry.context.language).toLowerCase()] ?? entry.language;
    const alive = await kernel.execute({ code: cell.code, language, envs: cell.envs }, output, stop);
    if (!alive) this.#reset(entry);
  }

  /** @throws ContextError */
  async restart(id: string): Promise<void> {
    const entry = this.#entry(id);
    const kernel = await entry.kernel?.catch(() => undefined);
    this.#reset(entry);
    await kernel?.close();
  }

  /** @throws ContextError */
  async remove(id: string): Promise<void> {
    const entry = this.#entry(id);
    entry.removed = true;
    this.#entries.delete(id);
    await (await entry.kernel?.catch(() => undefined))?.close();
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#entries.keys(), id => this.remove(id)));
  }

  #reset(entry: Entry): void {
    entry.kernel = undefined;
    entry.executions = 0;
  }

  #entry(id: string): Entry {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw new ContextError(404, `Context ${id} not found`);
    return entry;
  }
}
