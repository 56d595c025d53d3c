// The pool of worker threads: starts them, gives them the images, kills and replaces them.
import { Worker } from 'node:worker_threads';
import { builtFile } from '../../ground/built.ts';
import { halfNice, lowerPriority } from '../../ground/thread-time.ts';
import type { Image } from './image.ts';
import type { FromWorker, WorkerData } from './messages.ts';
import { PoolWorker } from './pool-worker.ts';
import type { Run } from './run.ts';

/** The heap of a worker, which holds replies and results while they are passed on. Guests are outside of it. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16, stackSizeMb: 8 };
const RESPAWN_MS = 1_000;
const SURPLUS_IDLE_MS = 10_000;
/** A worker that has computed for this long on a slice counts as held: it will not be free soon enough for others. */
const HELD_MS = 15;

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

  get hasFree(): boolean {
    return this.workers.some(({ slice }) => slice === undefined);
  }

  /** A worker without a run, or else one whose run is waiting; with the higher or the lower priority, if there is a choice. */
  free(priority: 'higher' | 'lower'): PoolWorker | undefined {
    const free = this.workers.filter(({ slice }) => slice === undefined);
    const empty = free.filter(({ run }) => run === undefined);
    return empty.find(({ lowered }) => lowered === (priority === 'lower')) ?? empty[0] ?? free[0];
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
    for (const worker of this.workers) {
      if (worker.slice === undefined || worker.slice.held) continue;
      worker.slice.held = worker.slice.time.provenMs > HELD_MS;
      if (worker.slice.held) this.#lower(worker);
    }
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

  /** Long slices get less of the processors than short ones. The system does not let a thread raise its priority again. */
  #lower(worker: PoolWorker): void {
    if (worker.lowered) return;
    worker.lowered = true;
    lowerPriority(worker.threadId, this.#nice);
  }

  /** Adds a worker, unless one is being started or there are `max` of them. */
  burst(): void {
    if (this.#starting === 0 && this.workers.length < this.#max) this.#spawnLater(0);
  }

  /** Ends an additional worker that has been idle for a while. */
  shrink(): void {
    if (this.workers.length <= this.#base) return;
    const now = performance.now();
    const idle = this.workers.filter(w => w.run === undefined && now - w.idleSince > SURPLUS_IDLE_MS);
    const surplus = idle.find(({ lowered }) => lowered) ?? idle[0];
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
        lowerPriority(message.threadId, halfNice(this.#nice));
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
