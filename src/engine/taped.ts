// Clock and random numbers of a guest whose run is recorded: they must be the same when the run is replayed. Also bundled
// into the runner of the microVM, so it has no imports.

/** The state of clock and random numbers. Moves with the guest from worker to worker. */
export type Taped = {
  readonly seed: string;
  /** How often random numbers were drawn. */
  draws: number;
  /** When the guest got its last reply. */
  nowMs: number;
  /** How often the clock was read since then. */
  reads: number;
};

export const tapedFrom = ({ seed, startedMs }: { readonly seed: string; readonly startedMs: number }): Taped => ({
  seed,
  draws: 0,
  nowMs: startedMs,
  reads: 0,
});

/** The clock advances with each reply, and by a millisecond for so many reads, so that a loop that waits for it ends. */
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

/** `createHash` is a parameter, because the runner loads Node's module only when it is needed. */
export function drawHex(taped: Taped, bytes: number, createHash: CreateHash): string {
  taped.draws += 1;
  const hash = createHash('shake256', { outputLength: bytes });
  return hash.update(`${taped.seed} ${taped.draws}`).digest('hex');
}
