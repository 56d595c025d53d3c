// Who runs where and when: admits runs, hands slices to workers, parks waiting guests when others queue, answers their
// calls and timers, and ends whatever passes a deadline. The only clock, and the only owner of runs.
import type { CallHost, EngineStats, GuestReply, Job, Outcome } from '../engine.ts';
import { SETTLE, settlePayload } from '../protocol.ts';
import { FairQueue } from './fair-queue.ts';
import type { Image } from './image.ts';
import type { Emission, FromWorker } from './messages.ts';
import { Pool, type PoolWorker } from './pool.ts';
import { cpuDetail, Run } from './run.ts';

export type SchedulerOptions = {
  readonly workers: number;
  readonly maxWorkers: number;
  readonly maxQueued: number;
  readonly maxQueueMs: number;
  /** Runs started and not ended. */
  readonly maxLive: number;
  /** Memory of all parked guests. */
  readonly maxParkedBytes: number;
  readonly log: (message: string, cause: unknown) => void;
};

/** How often deadlines are looked at while anything is under way. */
const TICK_MS = 20;
/** What a slice gets beyond its deadline to stop by itself before its worker is killed. */
const GRACE_MS = 80;
const CANCEL_GRACE_MS = 40;
/** All workers busy for longer than this: another is started. */
const BURST_AFTER_MS = 25;
const RETRY_AFTER_MS = 1_000;

export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #pool: Pool;
  readonly #queue = new FairQueue<Run>();
  readonly #live = new Map<number, Run>();
  /** Runs a principal has started, and workers it holds right now. */
  readonly #liveOf = new Map<string, number>();
  #parkedBytes = 0;
  #lastRunId = 0;
  #clock: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(module: WebAssembly.Module, options: SchedulerOptions) {
    this.#options = options;
    this.#pool = new Pool(
      module,
      { base: options.workers, max: options.maxWorkers },
      {
        message: (worker, message) => this.#onMessage(worker, message),
        lost: (worker, outOfMemory) => this.#onLost(worker, outOfMemory),
        ready: () => this.#dispatch(),
      },
      options.log,
    );
  }

  start(): Promise<void> {
    return this.#pool.start();
  }

  addImage(imageId: number, image: Image): void {
    this.#pool.addImage(imageId, image);
  }

  /** Drops an image as soon as no run needs it. */
  retireImage(imageId: number): void {
    const inUse = () => [...this.#live.values()].some(run => run.imageId === imageId);
    if (this.#closed) return;
    if (inUse() || this.#queue.starts > 0) setTimeout(() => this.retireImage(imageId), 1_000).unref();
    else this.#pool.forgetImage(imageId);
  }

  run(job: Job, imageId: number): Promise<Outcome> {
    return new Promise(resolve => {
      const run = new Run(++this.#lastRunId, job, imageId, resolve);
      if (job.signal.aborted) return run.failWith('cancelled');
      if (this.#closed || !this.#admit(run)) return run.failWith('busy', undefined, RETRY_AFTER_MS);
      const cancel = () => this.#stop(run, 'cancelled');
      job.signal.addEventListener('abort', cancel, { once: true });
      run.abort.signal.addEventListener('abort', () => job.signal.removeEventListener('abort', cancel), { once: true });
      this.#queue.pushStart(run.principal, run);
      this.#startClock();
      this.#dispatch();
    });
  }

  stats(): EngineStats {
    const running = this.#pool.workers.filter(worker => worker.slice !== undefined).length;
    return {
      workers: this.#pool.workers.length,
      running,
      waiting: this.#live.size - running,
      queued: this.#queue.starts,
      kills: this.#pool.kills,
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#clock);
    for (const run of this.#queue.remove(() => true)) run.failWith('busy', undefined, RETRY_AFTER_MS);
    for (const run of this.#live.values()) run.failWith('engine_lost');
    this.#live.clear();
    await this.#pool.close();
  }

  // Admission and turns.

  /** A full queue gives way to those who wait with less: the newest of whoever waits with most is sent away instead. */
  #admit(run: Run): boolean {
    if (this.#queue.starts < this.#options.maxQueued) return true;
    const evicted = this.#queue.takeNewestOfLargest(this.#queue.startsOf(run.principal) + 1);
    evicted?.failWith('busy', undefined, RETRY_AFTER_MS);
    return evicted !== undefined;
  }

  /** One principal may have half of all live runs. */
  readonly #mayStart = (principal: string): boolean =>
    this.#live.size < this.#options.maxLive &&
    (this.#liveOf.get(principal) ?? 0) < Math.ceil(this.#options.maxLive / 2) &&
    this.#parkedBytes < this.#options.maxParkedBytes &&
    this.#mayRun(principal);

  /** The last worker there may be is never given to a principal whose long slices hold all others. */
  readonly #mayRun = (principal: string): boolean => {
    const { workers, max } = this.#pool;
    if (workers.length < max || max < 2) return true;
    const longSince = performance.now() - BURST_AFTER_MS;
    const held = workers.filter(
      ({ slice, run }) => slice && slice.startedAt < longSince && run?.principal === principal,
    );
    return held.length < max - 1;
  };

  #dispatch(): void {
    while (this.#queue.size > 0) {
      const worker = this.#freeWorker();
      if (worker === undefined) return;
      const run = this.#queue.shift(this.#mayRun, this.#mayStart);
      if (run === undefined) return;
      this.#place(run, worker);
    }
  }

  /** A worker without a run, else one whose run only waits. */
  #freeWorker(): PoolWorker | undefined {
    let waiting: PoolWorker | undefined;
    for (const worker of this.#pool.workers) {
      if (worker.slice !== undefined) continue;
      if (worker.run === undefined) return worker;
      waiting ??= worker;
    }
    return waiting;
  }

  #place(run: Run, worker: PoolWorker): void {
    if (worker.run !== undefined) {
      worker.run.state = 'parking';
      worker.leaving = worker.run;
    }
    const { id: runId, imageId, parked } = run;
    const { limits, source } = run.job;
    if (parked === undefined) this.#begin(run);
    this.#runSlice(run, worker);
    if (parked === undefined) {
      worker.post({ type: 'run', runId, imageId, limits, begin: { source } });
      return;
    }
    this.#parkedBytes -= run.parkedBytes;
    run.parked = undefined;
    const begin = { parked: parked.guest, meter: parked.meter, settlements: this.#takeSettlements(run) };
    worker.post({ type: 'run', runId, imageId, limits, begin }, [parked.guest.pages.buffer]);
  }

  #begin(run: Run): void {
    run.startedAt = performance.now();
    run.deadlineAt = run.startedAt + run.job.limits.wallMs;
    this.#live.set(run.id, run);
    this.#liveOf.set(run.principal, (this.#liveOf.get(run.principal) ?? 0) + 1);
  }

  #runSlice(run: Run, worker: PoolWorker): void {
    run.state = 'running';
    worker.run = run;
    worker.beginSlice(run.job.limits.cpuMs - run.cpuMs + GRACE_MS);
  }

  #takeSettlements(run: Run) {
    const { settlements } = run;
    run.settlements = [];
    return settlements;
  }

  // What workers say.

  #onMessage(worker: PoolWorker, message: FromWorker): void {
    if (message.type === 'ready') return;
    const run = this.#live.get(message.runId);
    switch (message.type) {
      case 'emissions':
        if (run !== undefined) this.#hear(run, message.emissions);
        return;
      case 'parked':
        worker.leaving = undefined;
        if (run?.state === 'parking') this.#onParked(run, message);
        return;
      case 'waiting':
        worker.endSlice();
        if (run === undefined || run.stopping !== undefined) this.#evict(worker, run);
        else {
          run.cpuMs = message.cpuMs;
          run.state = 'resident';
          this.#hear(run, message.emissions);
          this.#continue(run, worker);
        }
        this.#dispatch();
        return;
      case 'ended':
        worker.endSlice();
        worker.run = undefined;
        if (run !== undefined) {
          run.cpuMs = message.cpuMs;
          // Calls of the last slice were not waited for; sending them now would only leave their outcome unknown.
          for (const emission of message.emissions) run.hear(emission);
          run.finish(message.end);
          this.#forget(run);
        }
        this.#dispatch();
        return;
    }
  }

  /** The run in this worker was stopped while its slice ended by itself. */
  #evict(worker: PoolWorker, run: Run | undefined): void {
    if (worker.run !== undefined) worker.post({ type: 'drop', runId: worker.run.id });
    worker.run = undefined;
    if (run?.stopping !== undefined) this.#end(run, run.stopping);
  }

  #onParked(run: Run, { parked, meter }: Extract<FromWorker, { type: 'parked' }>): void {
    run.parked = { guest: parked, meter };
    run.state = 'parked';
    this.#parkedBytes += run.parkedBytes;
    if (run.settlements.length > 0) this.#makeReady(run);
    this.#boundParked();
  }

  /** Memory of waiting guests is bounded: beyond it, the one that holds most goes. */
  #boundParked(): void {
    while (this.#parkedBytes > this.#options.maxParkedBytes * 1.5) {
      let largest: Run | undefined;
      for (const run of this.#live.values()) if (run.parkedBytes > (largest?.parkedBytes ?? 0)) largest = run;
      if (largest === undefined) return;
      this.#end(
        largest,
        'memory_exceeded',
        'The gateway ran short of memory for waiting runs, and this one held the most.',
      );
    }
  }

  #onLost(worker: PoolWorker, outOfMemory: boolean): void {
    const code = outOfMemory ? 'memory_exceeded' : 'engine_lost';
    for (const run of [worker.run, worker.leaving])
      if (run !== undefined && run.state !== 'ended') this.#end(run, code);
    this.#dispatch();
  }

  // Calls and timers.

  #hear(run: Run, emissions: readonly Emission[]): void {
    for (const emission of emissions) {
      if (run.state === 'ended') return;
      switch (emission.kind) {
        case 'call':
          this.#call(run, emission);
          break;
        case 'timer':
          this.#setTimer(run, emission.id, emission.ms);
          break;
        case 'clear':
          clearTimeout(run.timers.get(emission.id));
          run.timers.delete(emission.id);
          break;
        default:
          run.hear(emission);
      }
    }
  }

  #call(run: Run, { id, capability, argsJson }: Extract<Emission, { kind: 'call' }>): void {
    void answerTo(run.job.callHost, { capability, argsJson }, run.abort.signal).then(reply => {
      if (!reply.ok) run.noteCode(reply.error.code);
      const { how, payload } = settlePayload(reply);
      this.#settle(run, id, how, payload);
    });
  }

  #setTimer(run: Run, id: number, ms: number): void {
    const fire = () => {
      run.timers.delete(id);
      this.#settle(run, id, SETTLE.fired, '');
    };
    run.timers.set(id, setTimeout(fire, Math.min(ms, run.job.limits.wallMs + TICK_MS)));
  }

  #settle(run: Run, id: number, how: (typeof SETTLE)[keyof typeof SETTLE], payload: string): void {
    if (run.state === 'ended') return;
    run.settlements.push({ id, how, payload });
    if (run.state === 'parked') {
      this.#makeReady(run);
      this.#dispatch();
    } else if (run.state === 'resident') {
      const worker = this.#pool.workers.find(candidate => candidate.run === run);
      if (worker !== undefined) this.#continue(run, worker);
    }
  }

  #continue(run: Run, worker: PoolWorker): void {
    if (run.state !== 'resident' || run.settlements.length === 0) return;
    this.#runSlice(run, worker);
    worker.post({ type: 'settle', runId: run.id, settlements: this.#takeSettlements(run) });
  }

  #makeReady(run: Run): void {
    run.state = 'ready';
    this.#queue.pushResume(run.principal, run);
  }

  // Deadlines and ends.

  #startClock(): void {
    this.#clock ??= setInterval(() => this.#tick(), TICK_MS);
  }

  #tick(): void {
    const now = performance.now();
    for (const run of this.#live.values())
      if (now > run.deadlineAt && run.stopping === undefined) this.#stop(run, 'time_exceeded');
    for (const worker of [...this.#pool.workers]) this.#checkSlice(worker, now);
    this.#expireQueued(now);
    // One that is free is always there or on its way, also when nobody waits yet.
    if (this.#pool.workers.every(w => w.slice !== undefined && now - w.slice.startedAt > BURST_AFTER_MS))
      this.#pool.burst();
    this.#pool.shrink();
    if (this.#live.size > 0 || this.#queue.size > 0 || this.#pool.workers.length > this.#options.workers) return;
    clearInterval(this.#clock);
    this.#clock = undefined;
  }

  #checkSlice(worker: PoolWorker, now: number): void {
    const { run, slice } = worker;
    if (slice === undefined || run === undefined) return;
    const spun = now - slice.startedAt > slice.maxMs;
    if (!spun && now < worker.killAt) return;
    this.#pool.kill(worker);
    run.cpuMs += now - slice.startedAt;
    if (run.state === 'ended') return;
    if (run.stopping !== undefined) this.#end(run, run.stopping);
    else this.#end(run, 'cpu_exceeded', cpuDetail(run.job.limits.cpuMs));
  }

  #expireQueued(now: number): void {
    if (this.#queue.starts === 0) return;
    const expired = this.#queue.remove(run => run.state === 'queued' && now - run.queuedAt > this.#options.maxQueueMs);
    for (const run of expired) run.failWith('busy', undefined, RETRY_AFTER_MS);
  }

  /** The caller went away, or the wall deadline passed. */
  #stop(run: Run, code: 'cancelled' | 'time_exceeded'): void {
    if (run.state === 'ended' || run.stopping !== undefined) return;
    run.stopping = code;
    run.abort.abort();
    const worker = run.state === 'running' ? this.#pool.workers.find(candidate => candidate.run === run) : undefined;
    if (worker === undefined) this.#end(run, code);
    else worker.requestStop(code === 'cancelled' ? CANCEL_GRACE_MS : GRACE_MS);
  }

  /** Ends a run from outside its worker and frees what it held. */
  #end(run: Run, code: Parameters<Run['failWith']>[0], detail?: string): void {
    const { state } = run;
    this.#parkedBytes -= run.parkedBytes;
    if (state === 'queued' || state === 'ready') this.#queue.remove(queued => queued === run);
    if (state === 'resident') {
      const worker = this.#pool.workers.find(candidate => candidate.run === run);
      worker?.post({ type: 'drop', runId: run.id });
      if (worker !== undefined) worker.run = undefined;
    }
    run.failWith(code, detail);
    this.#forget(run);
    this.#dispatch();
  }

  #forget(run: Run): void {
    if (!this.#live.delete(run.id)) return;
    const left = (this.#liveOf.get(run.principal) ?? 1) - 1;
    if (left > 0) this.#liveOf.set(run.principal, left);
    else this.#liveOf.delete(run.principal);
  }
}

/** Keeps the promise that CallHost makes: a reply, never a rejection. */
async function answerTo(callHost: CallHost, call: Parameters<CallHost>[0], signal: AbortSignal): Promise<GuestReply> {
  try {
    return await callHost(call, signal);
  } catch {
    return {
      ok: false,
      error: { name: 'GatewayError', code: 'internal', message: 'The gateway failed to answer this call.' },
    };
  }
}
