// The code contexts of one machine: an interpreter each that keeps its state, a queue of cells, an end. kernels.ts knows
// how each language runs. Knows no HTTP.
import { randomUUID } from 'node:crypto';
import { posix } from 'node:path';
import type { CellRequest, CodeContexts, Context, ExecutionOutput } from '../machine/code-contexts.ts';
import type { DataMachine } from '../machine/machine.ts';
import type { CellEvent, Language } from '../programs/operations.ts';
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
const DEFAULT_CWD = '/home/user';

/** What a cell ends with when its interpreter is gone: E2B's own words. */
const RESTARTED = lost('ContextRestarting', 'Context was restarted');
const REMOVED = lost(
  'UnexpectedEndOfExecution',
  'Connection to the execution was closed before the execution was finished',
);

const LANGUAGES: readonly Language[] = ['python', 'javascript', 'typescript', 'bash', 'r', 'java'];
const ALIASES: Readonly<Record<string, Language>> = { js: 'javascript', ts: 'typescript', python3: 'python' };
/** A sandbox has these from its start. */
const FIRST: readonly Language[] = ['python', 'javascript'];

export class Contexts implements CodeContexts {
  readonly #machine: DataMachine;
  readonly #entries = new Map<string, Entry>();
  /** Each language's own context: JavaScript and TypeScript have one each, as on E2B. */
  readonly #defaults = new Map<Language, string>();

  constructor(machine: DataMachine) {
    this.#machine = machine;
    for (const language of FIRST) this.#default(language);
  }

  list(): Context[] {
    return Array.from(this.#entries.values(), entry => entry.context);
  }

  /** @throws ContextError */
  async create(name = 'python', cwd = DEFAULT_CWD): Promise<Context> {
    const language = languageOf(name);
    const path = posix.resolve(DEFAULT_CWD, cwd);
    await this.#machine.files.makeDir(path).catch(() => {});
    return this.#add(language, path);
  }

  /** The context asked for, else the language's own. @throws ContextError */
  find(id: string | undefined, name = 'python'): Context {
    return id === undefined ? this.#default(languageOf(name)) : this.#entry(id).context;
  }

  /** @throws ContextError */
  async execute(id: string, cell: CellRequest, output: ExecutionOutput, stop: AbortSignal): Promise<void> {
    const entry = this.#entry(id);
    const run = entry.turn.then(() => this.#run(entry, cell, output, stop));
    entry.turn = run.catch(() => {});
    await run;
  }

  async #run(entry: Entry, cell: CellRequest, output: ExecutionOutput, stop: AbortSignal): Promise<void> {
    if (stop.aborted) return;
    if (entry.removed) return await output.event(REMOVED);
    entry.executions += 1;
    output.started(entry.executions);
    entry.kernel ??= startKernel(entry.language, this.#machine, entry.context.cwd);
    const kernel = await entry.kernel.catch(async (caught: unknown) => {
      this.#reset(entry);
      const value = caught instanceof Error ? caught.message : 'the interpreter could not start';
      await output.event({ type: 'error', name: 'KernelNotStarted', value, traceback: value });
    });
    if (kernel === undefined) return;
    if (await kernel.execute({ ...cell, language: entry.language }, output, stop)) return;
    this.#reset(entry);
    if (!stop.aborted) await output.event(entry.removed ? REMOVED : RESTARTED);
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

  /** Ends them all; what a sandbox has from its start is there anew. */
  async close(): Promise<void> {
    const ids = Array.from(this.#entries.keys());
    await Promise.all(ids.map(id => this.remove(id)));
    for (const language of FIRST) this.#default(language);
  }

  #default(language: Language): Context {
    const existing = this.#entries.get(this.#defaults.get(language) ?? '');
    if (existing !== undefined) return existing.context;
    const context = this.#add(language, DEFAULT_CWD);
    this.#defaults.set(language, context.id);
    return context;
  }

  #add(language: Language, cwd: string): Context {
    if (this.#entries.size >= MAX_CONTEXTS) throw new ContextError(429, `more than ${MAX_CONTEXTS} contexts`);
    const context = { id: randomUUID(), language, cwd };
    const turn = Promise.resolve();
    this.#entries.set(context.id, { context, language, kernel: undefined, executions: 0, turn, removed: false });
    return context;
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

function lost(name: string, value: string): CellEvent {
  return { type: 'error', name, value, traceback: '' };
}

/** @throws ContextError */
function languageOf(name: string): Language {
  const given = name.toLowerCase().trim();
  const language = LANGUAGES.find(known => known === given) ?? ALIASES[given];
  if (language === undefined) throw new ContextError(500, `Failed to create context: no kernel for ${name}`);
  return language;
}
