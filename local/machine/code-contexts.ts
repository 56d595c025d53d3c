// The code contexts of a machine: made by the interpreter, reached over its port, ended with the machine's processes.
// Types only.

export type Context = { readonly id: string; readonly language: string; readonly cwd: string };

export type CellRequest = { readonly code: string; readonly envs: Record<string, string> };

export type CellOutput = {
  text(kind: 'stdout' | 'stderr', text: string): Promise<void>;
  event(event: { type: 'result' | 'error'; [key: string]: unknown }): Promise<void>;
};

export type ExecutionOutput = CellOutput & { started(count: number): void };

export interface CodeContexts {
  list(): Context[];
  create(language?: string, cwd?: string): Promise<Context>;
  /** The context asked for, else the language's own. */
  find(id: string | undefined, language: string | undefined): Context;
  /**
   * Runs a cell after those before it. `stop` interrupts it. Resolves when it is over, whatever came of it; what comes
   * of it goes to `output`, the number of the execution first.
   */
  execute(id: string, cell: CellRequest, output: ExecutionOutput, stop: AbortSignal): Promise<void>;
  restart(id: string): Promise<void>;
  remove(id: string): Promise<void>;
  close(): Promise<void>;
}
