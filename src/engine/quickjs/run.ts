// One run as the scheduler sees it: its state, what it waits for, and its one answer. Knows nothing of workers'
// threads or queues.
import type { ErrorCode } from '../../errors.ts';
import type { Job, Outcome } from '../engine.ts';
import type { End, Meter } from '../intake.ts';
import { gatewayFault, limitDetail, Transcript } from '../transcript.ts';
import type { Parked } from './instance.ts';
import type { Due, Settlement } from './messages.ts';

export type RunState =
  /** Not started. */
  | 'queued'
  /** A worker runs a slice of it. */
  | 'running'
  /** Sits in a worker, waiting for answers. */
  | 'resident'
  /** It leaves its worker; its pages are on their way. */
  | 'parking'
  /** Out of all workers, waiting for answers. */
  | 'parked'
  /** Out of all workers, answers are there, waiting for its turn. */
  | 'ready'
  | 'ended';

/** One for all: without a reason, each abort would make an exception with a stack. */
const RUN_ENDED = new Error('the run has ended');

export class Run {
  readonly id: number;
  readonly job: Job;
  readonly imageId: number;
  readonly transcript: Transcript;
  readonly abort = new AbortController();
  readonly timers = new Map<number, NodeJS.Timeout>();
  readonly queuedAt = performance.now();
  state: RunState = 'queued';
  /** Set once it starts. */
  startedAt: number | undefined;
  deadlineAt = Number.POSITIVE_INFINITY;
  cpuMs = 0;
  /** A slice has begun that its principal has not been charged for, and what it has been. */
  unpaid = false;
  paidMs = 0;
  settlements: Due[] = [];
  parked: { readonly guest: Parked; readonly meter: Meter } | undefined;
  /** Why the scheduler asked it to stop; the worker may still be at it. */
  stopping: ErrorCode | undefined;
  onEnd: () => void = () => undefined;
  #chargedHostMs = 0;
  readonly #resolve: (outcome: Outcome) => void;

  constructor(id: number, job: Job, imageId: number, resolve: (outcome: Outcome) => void) {
    this.id = id;
    this.job = job;
    this.imageId = imageId;
    this.transcript = new Transcript(job);
    this.#resolve = resolve;
  }

  get principal(): string {
    return this.job.principal.id;
  }

  get parkedBytes(): number {
    return this.parked?.guest.pages.length ?? 0;
  }

  /** What the host has worked for it since this was last asked. */
  takeHostMs(): number {
    const total = this.job.hostMs?.() ?? 0;
    const since = total - this.#chargedHostMs;
    this.#chargedHostMs = total;
    return since;
  }

  takeSettlements(): readonly Settlement[] {
    const { settlements } = this;
    this.settlements = [];
    return settlements.map(({ delivered, ...settlement }) => {
      delivered?.(); // on its way to the worker
      return settlement;
    });
  }

  finish(end: End): void {
    this.#answer(this.transcript.outcomeOf(end, this.cpuMs, this.stopping));
  }

  failWith(code: ErrorCode, detail = limitDetail(code, this.job.limits), retryAfterMs?: number): void {
    this.#answer(this.transcript.failed(gatewayFault(code, detail, retryAfterMs), this.cpuMs));
  }

  suspend(): void {
    this.#answer(this.transcript.suspended(this.cpuMs));
  }

  #answer(outcome: Outcome): void {
    if (this.state === 'ended') return;
    this.state = 'ended';
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
    this.job.tape?.close();
    this.abort.abort(RUN_ENDED);
    this.onEnd();
    this.settlements = [];
    this.parked = undefined;
    const queuedMs = this.startedAt === undefined ? undefined : this.startedAt - this.queuedAt;
    this.#resolve(queuedMs === undefined ? outcome : { ...outcome, queuedMs });
  }
}
