// The frames between runner and engine. Each is one line of ASCII, so that no character can be split; frames of the runner
// begin with a mark, which distinguishes them from other output. Bundled into the runner, so it has no imports.

/** The beginning of every frame of the runner. */
export const MARK = '#code-mode#';

/** Longer payloads are sent as a file, because the SDK keeps all of stdout in memory and is slow with a large stdin. */
export const INLINE_CHARS = 16_384;
/** When a run has written this much, all payloads above SMALL_CHARS are sent as files. */
export const INLINE_TOTAL_CHARS = 2_000_000;
export const SMALL_CHARS = 512;

export type Payload = { readonly p: string } | { readonly file: number; readonly bytes: number };

/** Why the runner ended a run. */
export type RunnerEnd = 'cpu' | 'memory' | 'deadlock' | 'flood' | 'crashed';

export type RunnerFrame =
  /** The agent's code starts now. */
  | { readonly t: 'started' }
  /** A message of the prelude, see protocol.ts. */
  | ({ readonly t: 'message'; readonly kind: number; readonly id: number; readonly cpuMs: number } & Payload)
  /** Only for a run with a tape: the guest is idle after the first `settled` replies. */
  | { readonly t: 'idle'; readonly settled: number; readonly cpuMs: number }
  | { readonly t: 'end'; readonly reason: RunnerEnd; readonly cpuMs: number };

/** A reply to the call or timer `id`. With a tape it has the guest's time of it. */
export type EngineFrame = { readonly id: number; readonly how: number; readonly atMs?: number } & Payload;

/** Names of the files in a run's folder. */
export const FILES = {
  run: 'run.json',
  fromRunner: (number: number) => `out-${number}`,
  toRunner: (number: number) => `in-${number}`,
} as const;

/** The meanings of the runner's exit codes; 126 and 127 are the shell's for a program that it cannot run. */
export const EXIT = { oldNode: 86, cannotRun: 126, noNode: 127, aborted: 134, killed: 137 } as const;

/** JSON in which all characters outside ASCII are escaped, lone surrogates too. */
export function toAscii(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
