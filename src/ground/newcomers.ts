// Runs of new callers wait for a moment while the main thread has no time left. Keys can be invented, so without this
// many new callers at once would slow down every known one. Known callers never wait here.

/** How long the main thread's use is measured, and above which part of that time it counts as busy. */
const WINDOW_MS = 40;
const BUSY = 0.8;
const MAX_WAIT_MS = 250;
const TICK_MS = 10;
const MAX_KNOWN = 10_000;

type Waiting = { readonly since: number; readonly begin: () => void };

export class Newcomers {
  readonly #use: () => number;
  /** Principals that have begun a run, in the order of their last one. */
  readonly #known = new Set<string>();
  readonly #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** `use`: which part of the last moments the main thread was busy, 0 to 1. */
  constructor(use = createUse()) {
    this.#use = use;
  }

  /** Resolves when a run of the principal may begin, at most 250 ms later. */
  async enter(principalId: string): Promise<void> {
    const goesFirst = this.#known.has(principalId) || this.#known.size === 0;
    if (!goesFirst && (this.#waiting.length > 0 || this.#use() >= BUSY)) await this.#wait();
    this.#known.delete(principalId);
    this.#known.add(principalId);
    if (this.#known.size > MAX_KNOWN) this.#known.delete(this.#known.keys().next().value ?? '');
  }

  #wait(): Promise<void> {
    this.#timer ??= setInterval(() => this.#release(), TICK_MS);
    return new Promise(begin => this.#waiting.push({ since: performance.now(), begin }));
  }

  /** Lets one begin if there is time for it, and all that have waited long enough. */
  #release(): void {
    const isFree = this.#use() < BUSY;
    const now = performance.now();
    const waited = this.#waiting.findIndex(({ since }) => now - since < MAX_WAIT_MS);
    const due = waited < 0 ? this.#waiting.length : waited;
    for (const { begin } of this.#waiting.splice(0, Math.max(due, isFree ? 1 : 0))) begin();
    if (this.#waiting.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** Measures the use of the event loop between calls. After a pause without calls it counts as free. */
function createUse(): () => number {
  let from = performance.eventLoopUtilization();
  let fromMs = performance.now();
  let use = 0;
  return () => {
    const now = performance.now();
    const ms = now - fromMs;
    if (ms < WINDOW_MS) return use;
    use = ms < WINDOW_MS * 10 ? performance.eventLoopUtilization(from).utilization : 0;
    from = performance.eventLoopUtilization();
    fromMs = now;
    return use;
  };
}
