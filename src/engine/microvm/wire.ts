// What the runner and the engine write to each other: one ASCII line a frame, the runner's with a mark in front, so that
// other bytes on its stdout are recognized and split UTF-8 cannot happen. Bundled into the runner: no imports.

/** Begins every line of the runner's that is a frame. */
export const MARK = '#code-mode#';

/** A payload above this goes by file, and a small frame says so: the SDK keeps stdout and is slow with large stdin. */
export const INLINE_CHARS = 16_384;
/** Once a run has written this much, every payload but the smallest goes by file. */
export const INLINE_TOTAL_CHARS = 2_000_000;
export const SMALL_CHARS = 512;

export type Payload = { readonly p: string } | { readonly file: number; readonly bytes: number };

/** Why the runner ended a run by itself. */
export type RunnerEnd = 'cpu' | 'memory' | 'deadlock' | 'flood' | 'crashed';

export type RunnerFrame =
  /** The agent's code starts now. */
  | { readonly t: 'started' }
  /** A message of the prelude's, see protocol.ts. */
  | ({ readonly t: 'said'; readonly kind: number; readonly id: number; readonly cpuMs: number } & Payload)
  /** Only of a run with a tape: the guest has done all it can with the first `settled` answers. */
  | { readonly t: 'idle'; readonly settled: number; readonly cpuMs: number }
  | { readonly t: 'end'; readonly reason: RunnerEnd; readonly cpuMs: number };

/** An answer to the call or timer `id`; with a tape, also when the guest gets it. */
export type EngineFrame = { readonly id: number; readonly how: number; readonly atMs?: number } & Payload;

/** Files of a run, in its folder. */
export const FILES = {
  run: 'run.json',
  fromRunner: (number: number) => `out-${number}`,
  toRunner: (number: number) => `in-${number}`,
} as const;

/** The runner's exit codes that mean something; 126 and 127 are the shell's for a program it cannot run. */
export const EXIT = { oldNode: 86, cannotRun: 126, noNode: 127, aborted: 134, killed: 137 } as const;

/** JSON in ASCII: everything else escaped, lone surrogates too. */
export function toAscii(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
