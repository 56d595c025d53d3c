// How long a call waits for a command or for code, and the error when that is not enough. A longer `timeoutMs` helps
// only if the run has more time left. Pure.

export type Deadline = {
  readonly ms: number;
  /** Whether `ms` is all the time that the run has left. */
  readonly capped: boolean;
  /** Time limit of the whole run. */
  readonly wallMs: number;
};

/** The smaller of the requested time and the time the run has left. 0 requests all of it, as in the SDK. */
export function deadlineOf(askedMs: number | undefined, run: { leftMs: number; wallMs: number }): Deadline {
  const capped = askedMs === undefined || askedMs === 0 || askedMs >= run.leftMs;
  return { ms: capped ? run.leftMs : askedMs, capped, wallMs: run.wallMs };
}

const LATER = '{ background: true }, and read its logPath in a later call (connect(pid) replays no output)';

export function commandOverdue({ ms, capped, wallMs }: Deadline): string {
  return capped
    ? `killed after ${span(ms)}, all that this call had (${span(wallMs)} in all); start it with ${LATER}`
    : `timed out after ${span(ms)} and was killed. Give it more timeoutMs, or background: true`;
}

export function codeOverdue({ ms, capped, wallMs }: Deadline): string {
  return capped
    ? `the code ran longer than ${span(ms)}, all that this call had (${span(wallMs)} in all); it may still run in its kernel. Put it into a file, start that with commands.run, ${LATER}`
    : `the code ran longer than ${span(ms)}; it may still run in its kernel. Give it more timeoutMs, or run it as a background command`;
}

const span = (ms: number) => (ms < 1_000 ? `${ms} ms` : `${Math.round(ms / 1_000)} s`);
