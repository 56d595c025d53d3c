// The guest's side of a tape: its clock and its randomness, which must be the same again when the run is replayed. Bundled
// into the runner of the microVM as well, so: no imports.

/** Travels with the guest. */
export type Taped = {
  readonly seed: string;
  /** Times that randomness was drawn. */
  draws: number;
  /** When the guest got its last answer. */
  nowMs: number;
  /** Times that the clock was read since. */
  reads: number;
};

export const tapedFrom = ({ seed, startedMs }: { readonly seed: string; readonly startedMs: number }): Taped => ({
  seed,
  draws: 0,
  nowMs: startedMs,
  reads: 0,
});

/** The clock moves on with each answer. Between two it hardly moves, but does: a loop that waits for it must end. */
export const READS_A_MS = 64;

export function readClock(taped: Taped): number {
  const now = timeOf(taped);
  taped.reads += 1;
  return now;
}

export function advanceClock(taped: Taped, atMs: number): void {
  if (atMs <= timeOf(taped)) return;
  taped.nowMs = atMs;
  taped.reads = 0;
}

const timeOf = ({ nowMs, reads }: Taped): number => nowMs + Math.floor(reads / READS_A_MS);

type CreateHash = typeof import('node:crypto').createHash;

/** `createHash` is handed in: the runner loads Node's module only when it is needed. */
export function drawHex(taped: Taped, bytes: number, createHash: CreateHash): string {
  taped.draws += 1;
  const hash = createHash('shake256', { outputLength: bytes });
  return hash.update(`${taped.seed} ${taped.draws}`).digest('hex');
}
