// The code contexts of one machine: an interpreter each that keeps its state, a queue of cells, an end. kernels.ts knows
// how each language runs. Knows no HTTP.
import { randomUUID } from 'node:crypto';
import { posix } from 'node:path';
import { Refusal } from '../daemon/access.ts';
import type { CodeContexts, DataMachine } from '../machine/machine.ts';
import type { Cell, CellEvent, Language } from '../programs/operations.ts';
import { type CellOutput, type Kernel, startKernel } from './kernels.ts';

type ExecutionOutput = CellOutput & { started(count: number): void };

const MAX_CONTEXTS = 16;
const DEFAULT_CWD = '/home/user';

const error = (name: string, value: string, traceback = ''): CellEvent => ({ type: 'error', name, value, traceback });
/** What a cell ends with when its interpreter is gone: E2B's own words. */
const RESTARTED = error('ContextRestarting', 'Context was restarted');
const REMOVED = error(
  'UnexpectedEndOfExecution',
  'Connection to the execution was closed before the execution was finished',
);

const LANGUAGES: readonly Language[] = ['python', 'javascript', 'typescript', 'bash', 'r', 'java'];
const ALIASES: Readonly<Record<string, Language>> = { js: 'javascript', ts: 'typescript', python3: 'python' };
/** A sandbox has these from its start. */
const FIRST: readonly Language[] = ['python', 'javascript'];

/** One interpreter that keeps its state, and the cells that wait for it. */
class CodeContext {
  readonly shown: { readonly id: string; readonly language: Language; readonly cwd: string };
  readonly #machine: DataMachine;
  #kernel: Promise<Kernel> | undefined;
  #executions = 0;
  #turn: Promise<unknown> = Promise.resolve();
  #removed = false;

  constructor(machine: DataMachine, language: Language, cwd: string) {
    this.#machine = machine;
    this.shown = { id: randomUUID(), language, cwd };
  }

  /**
   * Runs a cell after those before it. `stop` interrupts it. Resolves when it is over, whatever came of it; what comes
   * of it goes to `output`, the number of the execution first.
   */
  execute(cell: Omit<Cell, 'language'>, output: ExecutionOutput, stop: AbortSignal): Promise<void> {
    const run = this.#turn.then(() => this.#run(cell, output, stop));
    this.#turn = run.catch(() => {});
    return run;
  }

  async #run(cell: Omit<Cell, 'language'>, output: ExecutionOutput, stop: AbortSignal): Promise<void> {
    if (stop.aborted) return;
    if (this.#removed) return output.event(REMOVED);
    const { language, cwd } = this.shown;
    output.started(++this.#executions);
    try {
      this.#kernel ??= startKernel(language, this.#machine, cwd);
      if (await (await this.#kernel).execute({ ...cell, language }, output, stop)) return;
      this.#reset();
      if (!stop.aborted) await output.event(this.#removed ? REMOVED : RESTARTED);
    } catch (caught) {
      this.#reset();
      const why = caught instanceof Error ? caught.message : 'the interpreter could not start';
      await output.event(error('KernelNotStarted', why, why));
    }
  }

  async restart(): Promise<void> {
    const kernel = await this.#kernel?.catch(() => undefined);
    this.#reset();
    await kernel?.close();
  }

  async end(): Promise<void> {
    this.#removed = true;
    await this.restart();
  }

  #reset(): void {
    this.#kernel = undefined;
    this.#executions = 0;
  }
}

export class Contexts implements CodeContexts {
  readonly #machine: DataMachine;
  readonly #contexts = new Map<string, CodeContext>();
  /** Each language's own context: JavaScript and TypeScript have one each, as on E2B. */
  readonly #defaults = new Map<Language, CodeContext>();

  constructor(machine: DataMachine) {
    this.#machine = machine;
    for (const language of FIRST) this.#default(language);
  }

  list(): CodeContext['shown'][] {
    return Array.from(this.#contexts.values(), context => context.shown);
  }

  /** @throws Refusal */
  async create(name = 'python', cwd = DEFAULT_CWD): Promise<CodeContext> {
    const language = languageOf(name);
    const path = posix.resolve(DEFAULT_CWD, cwd);
    await this.#machine.files.makeDir(path).catch(() => {});
    return this.#add(language, path);
  }

  /** The context asked for, else the language's own. @throws Refusal */
  find(id: string | undefined, name = 'python'): CodeContext {
    const context = id === undefined ? this.#default(languageOf(name)) : this.#contexts.get(id);
    if (context === undefined) throw new Refusal(404, `Context ${id} not found`);
    return context;
  }

  /** @throws Refusal */
  async remove(id: string): Promise<void> {
    const context = this.find(id);
    this.#contexts.delete(id);
    await context.end();
  }

  /** Ends them all; what a sandbox has from its start is there anew. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#contexts.keys(), id => this.remove(id)));
    for (const language of FIRST) this.#default(language);
  }

  #default(language: Language): CodeContext {
    const known = this.#defaults.get(language);
    const context =
      known !== undefined && this.#contexts.has(known.shown.id) ? known : this.#add(language, DEFAULT_CWD);
    this.#defaults.set(language, context);
    return context;
  }

  #add(language: Language, cwd: string): CodeContext {
    if (this.#contexts.size >= MAX_CONTEXTS) throw new Refusal(429, `more than ${MAX_CONTEXTS} contexts`);
    const context = new CodeContext(this.#machine, language, cwd);
    this.#contexts.set(context.shown.id, context);
    return context;
  }
}

/** @throws Refusal */
function languageOf(name: string): Language {
  const given = name.toLowerCase().trim();
  const language = LANGUAGES.find(known => known === given) ?? ALIASES[given];
  if (language === undefined) throw new Refusal(500, `Failed to create context: no kernel for ${name}`);
  return language;
}
