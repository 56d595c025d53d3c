// Decides which runs may start and which is next: the queue and its limits, fairness between principals, and the memory of
// waiting guests. The scheduler carries the decisions out.
import { FairQueue } from '../../ground/fair-queue.ts';
import { FairShares } from '../../ground/fair-shares.ts';
import {
  BRIEF_MS,
  isBrief,
  isLong,
  isQuick,
  LONG_SLICE_MS,
  lacksWorker,
  mayTakeWorker,
  type Standing,
  type Workers,
} from './last-workers.ts';
import type { PoolWorker } from './pool-worker.ts';
import type { Run } from './run.ts';
import { Trial } from './trial.ts';

export type AdmissionLimits = {
  readonly maxQueued: number;
  readonly maxQueueMs: number;
  /** Maximum number of runs that have started and not ended. */
  readonly maxLive: number;
  /** Maximum memory of all parked guests together. */
  readonly maxParkedBytes: number;
};

/** Shares of the workers' CPU time. Most runs need a few milliseconds. */
const SHARES = { newcomerMs: LONG_SLICE_MS, maxAheadMs: 2_000 };

/** How much more than the first in the queue a run may use before it leaves its worker: parking takes about as long. */
const STAY_MS = 2;

export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #workers: Workers;
  readonly #shares = new FairShares(SHARES);
  readonly #queue = new FairQueue<Run>(this.#shares);
  readonly live = new Map<number, Run>();
  readonly #liveOf = new Map<string, number>();
  readonly #parkedOf = new Map<string, number>();
  #parkedBytes = 0;
  /** Runs whose trial was too long (see trial.ts), until they end. */
  readonly #putBack = new Set<Run>();

  constructor(limits: AdmissionLimits, workers: Workers) {
    this.#limits = limits;
    this.#workers = workers;
  }

  get queued(): number {
    return this.#queue.starts;
  }

  /** Whether no run has started and none waits. */
  get quiet(): boolean {
    return this.live.size === 0 && this.#queue.size === 0;
  }

  /**
   * Queues a run for its start. Returns the run that must be rejected as busy, if any: when the queue is full, a principal
   * with fewer waiting runs replaces the newest run of the principal with the most.
   */
  enqueue(run: Run): Run | undefined {
    let evicted: Run | undefined;
    if (this.#queue.starts >= this.#limits.maxQueued) {
      evicted = this.#queue.takeNewestOfLargest(this.#queue.startsOf(run.principal) + 1);
      if (evicted === undefined) return run;
    }
    this.#queue.pushStart(run.principal, run);
    return evicted;
  }

  enqueueResume(run: Run): void {
    run.state = 'ready';
    this.#queue.pushResume(run.principal, run);
  }

  /** The run whose turn it is, whose slice begins now. */
  next(): Run | undefined {
    const run = this.#shift();
    if (run === undefined) return undefined;
    const isNew = run.state === 'queued' && !this.#shares.isKnown(run.principal) && !this.#putBack.has(run);
    if (isNew) run.trial = new Trial();
    run.unpaid = true;
    return run;
  }

  /** Notes that a slice begins that did not wait in the queue. */
  beginSlice(run: Run): void {
    this.#shares.arrive(run.principal);
    this.#shares.begin(run.principal);
    run.unpaid = true;
  }

  /** Charges the principal for a slice that has ended. */
  sliceEnded(run: Run): void {
    if (!run.unpaid) return;
    run.unpaid = false;
    this.#queue.done(run.principal, run.cpuMs - run.paidMs);
    run.paidMs = run.cpuMs;
  }

  #shift(): Run | undefined {
    if (this.#queue.size === 0) return undefined;
    const last = this.#whoGoesLast();
    if (last.size > 0) {
      const isFirst = (principal: string) => !last.has(principal);
      const mayStart = (principal: string) => isFirst(principal) && this.#mayStart(principal);
      const run = this.#queue.shift(principal => isFirst(principal) && this.#mayRun(principal), mayStart);
      if (run !== undefined) return run;
    }
    return this.#queue.shift(this.#mayRun, this.#mayStart);
  }

  /** Principals that occupy several workers with long slices, or have a run whose trial was too long. */
  #whoGoesLast(): Set<string> {
    const last = new Set([...this.#putBack].map(({ principal }) => principal));
    const holders = new Set<string>();
    for (const { run, slice } of this.#workers.workers)
      if (run !== undefined && slice?.held) (holders.has(run.principal) ? last : holders).add(run.principal);
    return last;
  }

  get waiting(): boolean {
    return this.#queue.size > 0;
  }

  othersWait(run: Run): boolean {
    return this.#queue.holdsOtherThan(run.principal);
  }

  /** Whether somebody who waits has used so much less that a run with replies must leave its worker, instead of going on in it. */
  mustLeave(run: Run): boolean {
    return this.#queue.holdsEarlierThan(run.principal, STAY_MS);
  }

  begin(run: Run): void {
    this.live.set(run.id, run);
    this.#liveOf.set(run.principal, (this.#liveOf.get(run.principal) ?? 0) + 1);
  }

  parked(run: Run): void {
    this.#countParked(run, run.parkedBytes);
  }

  unparked(run: Run): void {
    this.#countParked(run, -run.parkedBytes);
  }

  #countParked({ principal }: Run, bytes: number): void {
    this.#parkedBytes += bytes;
    const own = (this.#parkedOf.get(principal) ?? 0) + bytes;
    if (own > 0) this.#parkedOf.set(principal, own);
    else this.#parkedOf.delete(principal);
  }

  /** If parked guests use far too much memory: the largest run of the principal whose guests use the most. */
  overweight(): Run | undefined {
    if (this.#parkedBytes <= this.#limits.maxParkedBytes * 1.5) return undefined;
    const [heaviest] = [...this.#parkedOf].reduce((most, each) => (each[1] > most[1] ? each : most));
    let largest: Run | undefined;
    for (const run of this.live.values())
      if (run.principal === heaviest && run.parkedBytes > (largest?.parkedBytes ?? 0)) largest = run;
    return largest;
  }

  /** Removes a run that is about to end from all queues and counts. */
  release(run: Run): void {
    this.unparked(run);
    if (run.state === 'queued' || run.state === 'ready') this.#queue.remove(queued => queued === run);
    this.#putBack.delete(run);
    if (!this.live.has(run.id)) return;
    this.sliceEnded(run);
    this.#forgetLive(run);
  }

  #forgetLive(run: Run): void {
    this.live.delete(run.id);
    const left = (this.#liveOf.get(run.principal) ?? 1) - 1;
    if (left > 0) this.#liveOf.set(run.principal, left);
    else this.#liveOf.delete(run.principal);
  }

  /** Removes and returns the runs that have waited too long for their start. */
  expired(now: number): Run[] {
    if (this.#queue.starts === 0) return [];
    return this.#queue.remove(run => run.state === 'queued' && now - run.queuedAt > this.#limits.maxQueueMs);
  }

  /** Queues a run again that was stopped in its trial. */
  putBack(run: Run): void {
    this.sliceEnded(run);
    this.#forgetLive(run);
    run.trial = undefined;
    run.state = 'queued';
    run.startedAt = undefined;
    run.deadlineAt = Number.POSITIVE_INFINITY;
    run.cpuMs = 0;
    run.paidMs = 0;
    this.#putBack.add(run);
    this.#queue.pushStart(run.principal, run);
  }

  drain(): Run[] {
    const started = [...this.live.values()];
    this.live.clear();
    return [...this.#queue.remove(run => run.state === 'queued'), ...started];
  }

  /** A principal may have at most half of all live runs. */
  readonly #mayStart = (principal: string): boolean =>
    this.live.size < this.#limits.maxLive &&
    (this.#liveOf.get(principal) ?? 0) < Math.ceil(this.#limits.maxLive / 2) &&
    this.#mayPark(principal) &&
    this.#mayRun(principal);

  /** A principal whose guests use little memory may always start, even if the guests of others use much. */
  #mayPark(principal: string): boolean {
    const { maxParkedBytes } = this.#limits;
    return this.#parkedBytes < maxParkedBytes || (this.#parkedOf.get(principal) ?? 0) < maxParkedBytes / 32;
  }

  readonly #mayRun = (principal: string): boolean => mayTakeWorker(this.#workers, principal, this.#standingOf);

  readonly #standingOf = (principal: string): Standing => {
    if (this.#hasPutBack(principal)) return 'long';
    const sliceMs = this.#shares.pieceMsOf(principal);
    if (sliceMs === undefined) return 'new';
    if (!this.#shares.isModest(principal)) return 'heavy';
    if (sliceMs < BRIEF_MS) return 'brief';
    return sliceMs < LONG_SLICE_MS ? 'quick' : 'modest';
  };

  /** Whether the run is of a known principal with short slices. */
  isQuick({ principal }: Run): boolean {
    return isQuick(this.#standingOf(principal));
  }

  /** Whether runs wait for a worker that is yet to be added. */
  get lacksWorker(): boolean {
    return lacksWorker(this.#workers, this.waiting) || this.#keepsQuickWaiting() || this.#keepsBriefWaiting();
  }

  /** Whether a quick principal's run waits while long slices of others occupy all workers. */
  #keepsQuickWaiting(): boolean {
    return this.#occupiedBy((standing, worker) => isLong(worker) && !isQuick(standing)) && this.#holds(isQuick);
  }

  /** Whether a brief principal's run waits while slices of others, however short, occupy all workers. One more is enough. */
  #keepsBriefWaiting(): boolean {
    const { workers, base } = this.#workers;
    return workers.length <= base && this.#occupiedBy(standing => !isBrief(standing)) && this.#holds(isBrief);
  }

  /** Whether all workers are occupied by slices of such principals. */
  #occupiedBy(isSuch: (standing: Standing, worker: PoolWorker) => boolean): boolean {
    const { workers } = this.#workers;
    return workers.every(
      worker => worker.slice && worker.run && isSuch(this.#standingOf(worker.run.principal), worker),
    );
  }

  /** Whether a run of such a principal waits. */
  #holds(isSuch: (standing: Standing) => boolean): boolean {
    return this.#queue.holds(principal => isSuch(this.#standingOf(principal)));
  }

  #hasPutBack(principal: string): boolean {
    for (const run of this.#putBack) if (run.principal === principal) return true;
    return false;
  }
}
