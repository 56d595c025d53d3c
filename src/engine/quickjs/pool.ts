// The pool of worker threads: starts them, gives them the images, kills and replaces them.
import { Worker } from 'node:worker_threads';
import { builtFile } from '../../ground/built.ts';
import { lowerPriority, WorkTime } from '../../ground/thread-time.ts';
import type { Image } from './image.ts';
import type { FromWorker, ToWorker, WorkerData } from './messages.ts';
import type { Run } from './run.ts';

/** The heap of a worker, which holds replies and results while they are passed on. Guests are outside of it. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16, stackSizeMb: 8 };
const RESPAWN_MS = 1_000;
const SURPLUS_IDLE_MS = 10_000;
/** A worker that has not begun a slice after this time counts as dead. */
const UNBEGUN_MS = 10_000;
/** A worker that has computed for this long on a slice counts as held: it will not be free soon enough for others. */
const HELD_MS = 15;
/** A worker that has not stopped after this time is killed, however little CPU time its thread got. */
const STOP_MS = 1_000;

export class PoolWorker {
  readonly #worker: Worker;
  readonly #control: Int32Array;
  /** The run in this worker, which runs a slice or is resident. */
  run: Run | undefined;
  /** The run that is being parked; its pages have not arrived yet. */
  leaving: Run | undefined;
  /** The current slice: its start, how long it may take before the worker is killed, whether it counts as long (held). */
  slice:
    | { startedAt: number; time: WorkTime; readonly sentAt: number; readonly maxMs: number; held: boolean }
    | undefined;
  /** Number of slices sent so far; the worker counts those it has begun. */
  #sent = 0;
  #stop: { readonly asked: WorkTime; readonly graceMs: number } | undefined;
  threadId = 0;
  dead = false;
  idleSince = performance.now();

  constructor(worker: Worker, control: SharedArrayBuffer) {
    this.#worker = worker;
    this.#control = new Int32Array(control);
  }

  post(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  beginSlice(maxMs: number): void {
    Atomics.store(this.#control, 0, 0);
    Atomics.store(this.#control, 2, 0);
    this.#stop = undefined;
    this.#sent = (this.#sent + 1) | 0;
    const now = performance.now();
    this.slice = { startedAt: now, time: new WorkTime(this.threadId), sentAt: now, maxMs, held: false };
  }

  endSlice(): void {
    this.slice = undefined;
    this.idleSince = performance.now();
  }

  /** Asks the slice to stop at its next interrupt check. It is overdue if it has not stopped after `graceMs`. */
  requestStop(graceMs: number): void {
    Atomics.store(this.#control, 0, 1);
    this.givesWay = false;
    this.#stop = { asked: new WorkTime(this.threadId), graceMs };
  }

  /**
   * Whether the slice has used up its time and its grace. The time does not count while the thread has not begun the slice:
   * the machine may be busy, or the thread may still be parking another guest.
   */
  overdue(now: number): boolean {
    const { slice } = this;
    if (slice === undefined) return false;
    if (Atomics.load(this.#control, 1) !== this.#sent && now - slice.sentAt < UNBEGUN_MS) {
      slice.startedAt = now;
      slice.time = new WorkTime(this.threadId);
      if (this.#stop !== undefined) this.requestStop(this.#stop.graceMs);
      return false;
    }
    return isOver(slice.time, slice.maxMs) || (this.#stop !== undefined && this.#stopIsOver(this.#stop));
  }

  #stopIsOver({ asked, graceMs }: { readonly asked: WorkTime; readonly graceMs: number }): boolean {
    return asked.clockMs > STOP_MS || isOver(asked, graceMs);
  }

  /** Whether the slice must let others go first, by waiting a little at its interrupt checks. */
  set givesWay(gives: boolean) {
    Atomics.store(this.#control, 2, gives ? 1 : 0);
    if (!gives) Atomics.notify(this.#control, 2);
  }

  terminate(): Promise<number> {
    return this.#worker.terminate();
  }
}

const isOver = (time: WorkTime, maxMs: number): boolean => time.clockMs > maxMs && time.ranMs > maxMs;

export type PoolEvents = {
  message(worker: PoolWorker, message: FromWorker): void;
  /** The worker has exited; all messages that it posted before were delivered. */
  lost(worker: PoolWorker, outOfMemory: boolean): void;
  ready(): void;
};

export class Pool {
  readonly #given: Omit<WorkerData, 'control'>;
  readonly #events: PoolEvents;
  readonly #images = new Map<number, Image>();
  readonly #log: (message: string, cause: unknown) => void;
  readonly workers: PoolWorker[] = [];
  readonly #base: number;
  readonly #max: number;
  readonly #nice: number;
  #starting = 0;
  #closed = false;

  constructor(
    given: Omit<WorkerData, 'control'>,
    { base, max, nice }: { base: number; max: number; nice: number },
    events: PoolEvents,
    log: (message: string, cause: unknown) => void,
  ) {
    this.#given = given;
    this.#base = base;
    this.#max = max;
    this.#nice = nice;
    this.#events = events;
    this.#log = log;
  }

  get base(): number {
    return this.#base;
  }

  get max(): number {
    return this.#max;
  }

  workerOf(run: Run): PoolWorker | undefined {
    return this.workers.find(worker => worker.run === run);
  }

  /** A worker without a run, or else one whose run is waiting. */
  free(): PoolWorker | undefined {
    let waiting: PoolWorker | undefined;
    for (const worker of this.workers) {
      if (worker.slice !== undefined) continue;
      if (worker.run === undefined) return worker;
      waiting ??= worker;
    }
    return waiting;
  }

  async start(): Promise<void> {
    await Promise.all(Array.from({ length: this.#base }, () => this.#spawn()));
  }

  addImage(imageId: number, image: Image): void {
    this.#images.set(imageId, image);
    for (const worker of this.workers) worker.post({ type: 'image', imageId, image });
  }

  forgetImage(imageId: number): void {
    this.#images.delete(imageId);
    for (const worker of this.workers) worker.post({ type: 'forget', imageId });
  }

  beginSlice(worker: PoolWorker, maxMs: number): void {
    worker.beginSlice(maxMs);
    this.#makeWay();
  }

  endSlice(worker: PoolWorker): void {
    worker.endSlice();
    this.#makeWay();
  }

  /** Checks how long slices have been running. Returns whether all workers are held. */
  lookAtSlices(): boolean {
    for (const { slice } of this.workers) if (slice !== undefined) slice.held ||= slice.time.provenMs > HELD_MS;
    this.#makeWay();
    return this.workers.every(({ slice }) => slice?.held);
  }

  /** Makes long slices let others go first while a short one is running, or while a worker is being started. */
  #makeWay(): void {
    const held = this.workers.filter(({ slice }) => slice?.held);
    if (held.length === 0) return;
    const othersGo = this.#starting > 0 || this.workers.some(({ slice }) => slice?.held === false);
    for (const worker of held) worker.givesWay = othersGo;
  }

  /** Adds a worker, unless one is being started or there are `max` of them. */
  burst(): void {
    if (this.#starting === 0 && this.workers.length < this.#max) this.#spawnLater(0);
  }

  /** Ends an additional worker that has been idle for a while. */
  shrink(): void {
    if (this.workers.length <= this.#base) return;
    const now = performance.now();
    const surplus = this.workers.find(w => w.run === undefined && now - w.idleSince > SURPLUS_IDLE_MS);
    if (surplus !== undefined) this.#end(surplus);
  }

  kill(worker: PoolWorker): void {
    if (worker.dead) return;
    this.#end(worker);
    if (this.workers.length + this.#starting < this.#base) this.#spawnLater(0);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(
      this.workers.splice(0).map(worker => {
        worker.dead = true;
        return worker.terminate();
      }),
    );
  }

  #end(worker: PoolWorker): void {
    worker.dead = true;
    const at = this.workers.indexOf(worker);
    if (at >= 0) this.workers.splice(at, 1);
    void worker.terminate();
  }

  #spawnLater(delayMs: number): void {
    this.#starting += 1;
    setTimeout(() => {
      this.#starting -= 1;
      if (this.#closed) return;
      this.#spawn().catch(cause => {
        this.#log('a worker thread did not start', cause);
        if (!this.#closed && this.workers.length < this.#base) this.#spawnLater(RESPAWN_MS);
      });
    }, delayMs).unref();
  }

  #spawn(): Promise<void> {
    this.#starting += 1;
    const control = new SharedArrayBuffer(12);
    const data: WorkerData = { ...this.#given, control };
    const thread = new Worker(builtFile('engine/quickjs/worker.js'), {
      workerData: data,
      resourceLimits: RESOURCE_LIMITS,
      env: {},
      stdin: false,
    });
    const worker = new PoolWorker(thread, control);
    let outOfMemory = false;
    return new Promise((resolve, reject) => {
      const started = () => {
        this.#starting -= 1;
        if (this.#closed) {
          worker.dead = true;
          void thread.terminate();
          return resolve();
        }
        this.workers.push(worker);
        for (const [imageId, image] of this.#images) worker.post({ type: 'image', imageId, image });
        resolve();
        this.#events.ready();
      };
      let ready = false;
      thread.on('message', (message: FromWorker) => {
        if (message.type !== 'ready') return this.#events.message(worker, message);
        ready = true;
        worker.threadId = message.threadId;
        lowerPriority(message.threadId, this.#nice);
        started();
      });
      thread.on('error', (cause: NodeJS.ErrnoException) => {
        outOfMemory = cause.code === 'ERR_WORKER_OUT_OF_MEMORY';
        if (!worker.dead) this.#log('a worker thread failed', cause);
        if (!ready) reject(cause);
      });
      thread.on('exit', () => {
        if (!ready) {
          this.#starting -= 1;
          return reject(new Error('the worker exited before it was ready'));
        }
        const expected = worker.dead;
        worker.dead = true;
        const at = this.workers.indexOf(worker);
        if (at >= 0) this.workers.splice(at, 1);
        this.#events.lost(worker, outOfMemory);
        if (!expected && !this.#closed && this.workers.length + this.#starting < this.#base) this.#spawnLater(0);
      });
    });
  }
}
