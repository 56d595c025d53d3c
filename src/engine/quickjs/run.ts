// One run as the scheduler sees it: its state, what it waits for, and its single outcome.
import type { ErrorCode } from '../../errors.ts';
import type { Job, Outcome } from '../engine.ts';
import type { Emission, End, Meter } from '../intake.ts';
import { gatewayFault, limitDetail, Transcript } from '../transcript.ts';
import type { Parked } from './instance.ts';
import type { Due, Settlement } from './messages.ts';
import type { Trial } from './trial.ts';

export type RunState =
  /** Has not started. */
  | 'queued'
  /** A worker runs a slice of it. */
  | 'running'
  /** In a worker, waiting for replies. */
  | 'resident'
  /** Being removed from its worker; its pages have not arrived yet. */
  | 'parking'
  /** In no worker, waiting for replies. */
  | 'parked'
  /** In no worker; has replies and waits for its turn. */
  | 'ready'
  | 'ended';

const RETRY_AFTER_MS = 1_000;
/** Shared by all runs: without a reason, each abort would create an exception with a stack. */
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
  /** Set when the run starts. */
  startedAt: number | undefined;
  deadlineAt = Number.POSITIVE_INFINITY;
  cpuMs = 0;
  /** Whether the principal has yet to be charged for the current slice, and the CPU time charged so far. */
  unpaid = false;
  paidMs = 0;
  /** Set during the first slice of a new principal's run. */
  trial: Trial | undefined;
  settlements: Due[] = [];
  parked: { readonly guest: Parked; readonly meter: Meter } | undefined;
  /** Why the scheduler asked the run to stop; its worker may still be running it. */
  stopping: ErrorCode | undefined;
  onEnd: (() => void) | undefined;
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

  /** CPU time that the host has used for the run since the last call of this. */
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
      delivered?.(); // it is sent to the worker now
      return settlement;
    });
  }

  /** Whether the run is queued again when its slice has stopped. */
  get isPutBack(): boolean {
    return this.trial?.failed === true && this.stopping === undefined && this.state !== 'ended';
  }

  /** Called when the slice is long: the run continues unless others wait. Returns the messages that were withheld. */
  endTrial(othersWait: boolean, stop: () => void): readonly Emission[] {
    if (this.trial === undefined || this.trial.failed) return [];
    if (!othersWait) return this.takeWithheld();
    this.trial.failed = true;
    stop();
    return [];
  }

  /** Ends the trial, if there is one, and returns the messages that were withheld. */
  takeWithheld(): readonly Emission[] {
    const withheld = this.trial?.withheld ?? [];
    this.trial = undefined;
    return withheld;
  }

  finish(end: End): void {
    this.#answer(this.transcript.outcomeOf(end, this.cpuMs, this.stopping));
  }

  failWith(code: ErrorCode, detail = limitDetail(code, this.job.limits), retryAfterMs?: number): void {
    this.#answer(this.transcript.failed(gatewayFault(code, detail, retryAfterMs), this.cpuMs));
  }

  rejectBusy(): void {
    this.failWith('busy', undefined, RETRY_AFTER_MS);
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
    this.onEnd?.();
    this.settlements = [];
    this.parked = undefined;
    const queuedMs = this.startedAt === undefined ? undefined : this.startedAt - this.queuedAt;
    this.#resolve(queuedMs === undefined ? outcome : { ...outcome, queuedMs });
  }
}
