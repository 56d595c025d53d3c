// Schedules runs: gives slices to workers, parks waiting guests when others are queued, resumes them when their replies
// come, and ends runs that pass a deadline. It owns all runs and has the only clock.
import type { ErrorCode } from '../../errors.ts';
import type { EngineStats, Job, Outcome } from '../engine.ts';
import type { Emission } from '../intake.ts';
import { Admission, type AdmissionLimits } from './admission.ts';
import { attachTape, receive } from './conversation.ts';
import type { Image } from './image.ts';
import { ImageUses } from './image-uses.ts';
import type { Due, FromWorker } from './messages.ts';
import { Pool } from './pool.ts';
import type { PoolWorker } from './pool-worker.ts';
import { Run } from './run.ts';

export type SchedulerOptions = AdmissionLimits & {
  readonly workers: number;
  readonly maxWorkers: number;
  readonly nice: number;
  /** See QuickjsOptions. */
  readonly reader: URL | undefined;
  readonly log: (message: string, cause: unknown) => void;
};

/** How often deadlines are checked while there are runs. */
const TICK_MS = 20;
/** How long a slice may take after its deadline to stop, before its worker is killed. */
const GRACE_MS = 80;
const CANCEL_GRACE_MS = 40;

export class Scheduler {
  readonly #pool: Pool;
  readonly #admission: Admission;
  readonly #baseWorkers: number;
  readonly #log: SchedulerOptions['log'];
  readonly #images = new ImageUses(imageId => this.#pool.forgetImage(imageId));
  #lastRunId = 0;
  #clock: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(module: WebAssembly.Module, { workers, maxWorkers, nice, reader, log, ...limits }: SchedulerOptions) {
    this.#baseWorkers = workers;
    this.#log = log;
    const events = {
      message: (worker: PoolWorker, message: FromWorker) => this.#onMessage(worker, message),
      lost: (worker: PoolWorker, outOfMemory: boolean) => this.#onLost(worker, outOfMemory),
      ready: () => this.#dispatch(),
    };
    const given = { module, reader: reader?.href };
    this.#pool = new Pool(given, { base: workers, max: maxWorkers, nice }, events, log);
    this.#admission = new Admission(limits, this.#pool);
  }

  start(): Promise<void> {
    return this.#pool.start();
  }

  addImage(imageId: number, image: Image): void {
    this.#pool.addImage(imageId, image);
  }

  /** Drops an image when no run needs it any more. */
  retireImage(imageId: number): void {
    this.#images.retire(imageId);
  }

  run(job: Job, imageId: number): Promise<Outcome> {
    return new Promise(resolve => {
      const run = new Run(++this.#lastRunId, job, imageId, resolve);
      if (job.signal.aborted) return run.failWith('cancelled');
      if (this.#closed) return run.rejectBusy();
      const cancel = () => this.#stop(run, 'cancelled');
      job.signal.addEventListener('abort', cancel, { once: true });
      this.#images.count(imageId, 1);
      const leave = () => {
        job.signal.removeEventListener('abort', cancel);
        this.#images.count(imageId, -1);
      };
      run.onEnd = leave;
      this.#admission.enqueue(run)?.rejectBusy();
      this.#clock ??= setInterval(() => this.#tick(), TICK_MS);
      this.#dispatch();
    });
  }

  stats(): EngineStats {
    const running = this.#pool.workers.filter(worker => worker.slice !== undefined).length;
    return {
      workers: this.#pool.workers.length,
      running,
      waiting: this.#admission.live.size - running,
      queued: this.#admission.queued,
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#clock);
    for (const run of this.#admission.drain()) {
      if (run.state === 'queued') run.rejectBusy();
      else run.failWith('engine_lost');
    }
    await this.#pool.close();
  }

  #dispatch(): void {
    while (this.#admission.waiting && !this.#closed) {
      const run = this.#pool.hasFree ? this.#admission.next() : undefined;
      const worker = run && this.#pool.free(this.#admission.isQuick(run) ? 'higher' : 'lower');
      if (run === undefined || worker === undefined) return;
      this.#place(run, worker);
    }
  }

  #place(run: Run, worker: PoolWorker): void {
    if (worker.run !== undefined) {
      worker.run.state = 'parking';
      worker.leaving = worker.run;
    }
    const { id: runId, imageId, parked } = run;
    const { limits, source, asWritten = false } = run.job;
    if (parked === undefined) {
      run.startedAt = performance.now();
      run.deadlineAt = run.startedAt + limits.wallMs;
      this.#admission.begin(run);
      const tape = attachTape(
        run,
        settlement => this.#settle(run, settlement),
        why => this.#end(run, why),
      );
      this.#runSlice(run, worker);
      worker.post({ type: 'run', runId, imageId, limits, begin: { source, asWritten, tape } });
      return;
    }
    this.#admission.unparked(run);
    run.parked = undefined;
    this.#runSlice(run, worker);
    const begin = { parked: parked.guest, meter: parked.meter, settlements: run.takeSettlements() };
    worker.post({ type: 'run', runId, imageId, limits, begin });
  }

  #runSlice(run: Run, worker: PoolWorker): void {
    run.state = 'running';
    worker.run = run;
    this.#pool.beginSlice(worker, run.job.limits.cpuMs - run.cpuMs + GRACE_MS);
  }

  /** Continues the resident run of this worker, if it has replies. */
  #continue(run: Run, worker: PoolWorker): void {
    if (run.state !== 'resident' || run.settlements.length === 0) return;
    this.#admission.beginSlice(run);
    this.#runSlice(run, worker);
    worker.post({ type: 'settle', runId: run.id, settlements: run.takeSettlements() });
  }

  #settle(run: Run, settlement: Due): void {
    if (run.state === 'ended') return;
    run.settlements.push(settlement);
    if (run.state === 'parked') {
      this.#admission.enqueueResume(run);
      this.#dispatch();
    } else if (run.state === 'resident') {
      const worker = this.#pool.workerOf(run);
      if (worker !== undefined) this.#continue(run, worker);
    }
  }

  #onMessage(worker: PoolWorker, message: FromWorker): void {
    if (message.type === 'ready') return;
    const run = this.#admission.live.get(message.runId);
    switch (message.type) {
      case 'emissions':
        this.#receive(run, message.emissions);
        return;
      case 'parked':
        worker.leaving = undefined;
        if (run?.state === 'parking') this.#onParked(run, message);
        return;
      case 'waiting':
        this.#pool.endSlice(worker);
        this.#onWaiting(worker, run, message);
        this.#dispatch();
        return;
      case 'ended':
        this.#pool.endSlice(worker);
        worker.run = undefined;
        this.#onEnded(run, message);
        this.#dispatch();
        return;
    }
  }

  #receive(run: Run | undefined, emissions: readonly Emission[]): void {
    if (run !== undefined) receive(run, emissions, settlement => this.#settle(run, settlement));
  }

  #onWaiting(worker: PoolWorker, run: Run | undefined, message: Extract<FromWorker, { type: 'waiting' }>): void {
    if (run === undefined || run.stopping !== undefined) {
      // The run was stopped while its slice was ending.
      worker.post({ type: 'drop', runId: message.runId });
      worker.run = undefined;
      if (run?.stopping !== undefined) this.#end(run, run.stopping);
      return;
    }
    run.cpuMs = message.cpuMs;
    this.#admission.sliceEnded(run);
    run.state = 'resident';
    this.#receive(run, [...run.takeWithheld(), ...message.emissions]);
    if (run.settlements.length > 0 && this.#admission.mustLeave(run)) this.#dispatch();
    this.#continue(run, worker);
    if (run.state === 'resident') run.job.tape?.idle();
  }

  #onEnded(run: Run | undefined, message: Extract<FromWorker, { type: 'ended' }>): void {
    if (run === undefined) return;
    run.cpuMs = message.cpuMs;
    if (message.end.reason === 'stopped' && run.isPutBack) return void this.#admission.putBack(run);
    if (message.end.reason === 'crashed') this.#log('a guest crashed its instance', message.end.detail);
    // Calls of the last slice are not sent: nobody awaits them, and their outcome would be unknown.
    for (const emission of [...run.takeWithheld(), ...message.emissions]) run.transcript.add(emission);
    this.#admission.release(run);
    run.finish(message.end);
  }

  #onParked(run: Run, { parked, meter }: Extract<FromWorker, { type: 'parked' }>): void {
    run.parked = { guest: parked, meter };
    run.state = 'parked';
    this.#admission.parked(run);
    if (run.settlements.length > 0) this.#admission.enqueueResume(run);
    for (let heavy = this.#admission.overweight(); heavy !== undefined; heavy = this.#admission.overweight())
      this.#end(
        heavy,
        'memory_exceeded',
        'The gateway has too little memory for waiting runs, and this one used the most.',
      );
    this.#dispatch();
  }

  #onLost(worker: PoolWorker, outOfMemory: boolean): void {
    for (const run of [worker.run, worker.leaving])
      if (run !== undefined && run.state !== 'ended') this.#end(run, outOfMemory ? 'memory_exceeded' : 'engine_lost');
    this.#dispatch();
  }

  #tick(): void {
    const now = performance.now();
    for (const run of this.#admission.live.values())
      if (now > run.deadlineAt && run.stopping === undefined) this.#stop(run, 'time_exceeded');
    for (const worker of [...this.#pool.workers]) this.#checkSlice(worker, now);
    for (const run of this.#admission.expired(now)) run.rejectBusy();
    this.#size();
    this.#dispatch();
    if (!this.#admission.quiet || this.#pool.workers.length > this.#baseWorkers) return;
    clearInterval(this.#clock);
    this.#clock = undefined;
  }

  /** Ensures that a worker is free or being started, even if no run waits for it yet. */
  #size(): void {
    if (this.#pool.lookAtSlices() || this.#admission.lacksWorker) this.#pool.burst();
    else this.#pool.shrink();
  }

  #checkSlice(worker: PoolWorker, now: number): void {
    const { run, slice } = worker;
    if (slice === undefined || run === undefined) return;
    const stop = () => worker.requestStop(GRACE_MS);
    if (slice.held) this.#receive(run, run.endTrial(this.#admission.othersWait(run), stop));
    if (!worker.overdue(now)) return;
    this.#pool.kill(worker);
    run.cpuMs += slice.time.ranMs;
    if (run.state === 'ended') return;
    worker.run = undefined;
    if (run.isPutBack) this.#admission.putBack(run);
    else this.#end(run, run.stopping ?? 'cpu_exceeded');
  }

  /** Stops a run because the caller disconnected or the deadline passed. */
  #stop(run: Run, code: 'cancelled' | 'time_exceeded'): void {
    if (run.state === 'ended' || run.stopping !== undefined) return;
    run.stopping = code;
    run.abort.abort();
    const worker = run.state === 'running' ? this.#pool.workerOf(run) : undefined;
    if (worker === undefined) this.#end(run, code);
    else worker.requestStop(code === 'cancelled' ? CANCEL_GRACE_MS : GRACE_MS);
  }

  /** Ends a run that is not computing, and frees everything that it uses. */
  #end(run: Run, why: ErrorCode | 'suspended', detail?: string): void {
    const worker = run.state === 'resident' ? this.#pool.workerOf(run) : undefined;
    if (worker !== undefined) {
      worker.post({ type: 'drop', runId: run.id });
      worker.run = undefined;
    }
    this.#admission.release(run);
    if (why === 'suspended') run.suspend();
    else run.failWith(why, detail);
    this.#dispatch();
  }
}
