// A pool of worker threads for work on callers' texts. The work may take too long or crash its thread, so each job has
// a deadline and fails alone. Principals take turns; a principal that uses a thread never gets the last free one; one
// that has recently passed a deadline goes after all others. Does not know the work: requests and replies are messages.
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { GatewayError } from '../errors.ts';
import { FairQueue } from './fair-queue.ts';
import { FairShares } from './fair-shares.ts';
import { LatePrincipals } from './late-principals.ts';
import type { Pace } from './pace.ts';
import { lowerPriority, WorkTime } from './thread-time.ts';

/** The first message of a thread. `threadId`: see thread-time.ts. */
export type ThreadReady = { readonly ready: true; readonly threadId?: number };

export type ThreadPoolOptions = {
  /** A built file that posts one message when it is ready, and one for each request. */
  readonly file: URL;
  /** Number of threads that always run; up to `maxThreads` if all are busy with long jobs. */
  readonly threads: number;
  readonly maxThreads: number;
  /** CPU time of one job, or a few times as much wall time. Less for a principal that passed the deadline recently. */
  readonly deadlineMs: number;
  readonly maxWaiting: number;
  readonly maxHeapMb: number;
  /** See thread-time.ts. */
  readonly nice: number;
  /** Slows down callers with much work. Default: nobody is slowed down. */
  readonly pace?: Pace | undefined;
  /** Make the error for a request that passed the deadline, and for one whose thread crashed. */
  readonly late: () => GatewayError;
  readonly broken: (cause: unknown) => GatewayError;
};

/** The caller that waits for a job; its `signal` aborts when it no longer does. */
export type Sender = { readonly principalId: string; readonly signal: AbortSignal };

type Job<Request, Reply> = {
  readonly request: Request;
  readonly moved: ArrayBuffer[];
  readonly principalId: string;
  readonly settle: (outcome: { readonly reply: Reply } | { readonly fault: GatewayError }) => void;
};

type Current<Request, Reply> = {
  readonly work: Job<Request, Reply>;
  readonly time: WorkTime;
  readonly maxMs: number;
  timer: NodeJS.Timeout;
};

type Thread<Request, Reply> = {
  readonly worker: Worker;
  ready: boolean;
  threadId: number;
  job: Current<Request, Reply> | undefined;
  idle: NodeJS.Timeout | undefined;
};

const RETRY_AFTER_MS = 1_000;
/** If all that waits has to rest, it is checked again after this time. */
const REST_MS = 5;
/** A job that has taken this long counts as long: another thread is started for jobs that wait. */
const LONG_MS = 30;
const IDLE_MS = 5_000;
/** See `maxAheadMs` of FairShares. */
const MAX_AHEAD_MS = 2_000;
const LATE_SHARE = 1 / 4;
/** The threads compete with the main thread for processors. With two, their time counts in full for `pace`, with more less. */
const THREADS_WORTH = Math.max(1, availableParallelism() / 2);
/** Wall time limit as a multiple of the CPU time limit, for a machine that gives the thread no processor. */
const MAX_CLOCK_TIMES = 4;

export class ThreadPool<Request, Reply> {
  readonly #options: ThreadPoolOptions;
  readonly #queue = new FairQueue<Job<Request, Reply>>(
    new FairShares({ newcomerMs: LONG_MS, maxAheadMs: MAX_AHEAD_MS }),
  );
  readonly #threads = new Set<Thread<Request, Reply>>();
  readonly #late = new LatePrincipals();
  #growing: NodeJS.Timeout | undefined;
  #resting: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: ThreadPoolOptions) {
    this.#options = options;
  }

  /**
   * `moved`: memory of the request that moves to the thread without a copy.
   * Rejects with `busy`, `cancelled`, `draining`, or the errors that `late` and `broken` make.
   */
  run(request: Request, { principalId, signal }: Sender, moved: ArrayBuffer[] = []): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new GatewayError('draining'));
      if (signal.aborted) return reject(new GatewayError('cancelled'));
      const leave = () => {
        this.#queue.remove(other => other === job);
        reject(new GatewayError('cancelled'));
      };
      const job: Job<Request, Reply> = {
        request,
        moved,
        principalId,
        settle(outcome) {
          signal.removeEventListener('abort', leave);
          if ('reply' in outcome) resolve(outcome.reply);
          else reject(outcome.fault);
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#enqueue(job);
      this.#dispatch();
    });
  }

  /** Starts the threads that always run. */
  start(): void {
    while (this.#threads.size < this.#options.threads) this.#startThread();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#growing);
    clearTimeout(this.#resting);
    for (const job of this.#queue.remove(always)) job.settle({ fault: new GatewayError('draining') });
    await Promise.all([...this.#threads].map(({ worker }) => worker.terminate()));
  }

  /** If the queue is full, the newest job of the principal with the most waiting jobs is refused. */
  #enqueue(job: Job<Request, Reply>): void {
    const busy = () => new GatewayError('busy', undefined, { retryAfterMs: RETRY_AFTER_MS });
    if (this.#queue.size >= this.#options.maxWaiting) {
      const evicted = this.#queue.takeNewestOfLargest(this.#queue.startsOf(job.principalId) + 1);
      (evicted ?? job).settle({ fault: busy() });
      if (evicted === undefined) return;
    }
    this.#queue.pushStart(job.principalId, job);
  }

  #dispatch(): void {
    if (this.#closed) return;
    this.start();
    for (;;) {
      const free = [...this.#threads].filter(({ ready, job }) => ready && job === undefined);
      const [thread] = free;
      const job = thread === undefined ? undefined : this.#next(free.length);
      if (thread === undefined || job === undefined) break;
      this.#give(thread, job);
    }
    if (this.#queue.size === 0) return;
    if (this.#queue.holds(this.#mayGo)) this.#growing ??= setTimeout(() => this.#grow(), LONG_MS);
    else this.#resting ??= setTimeout(() => this.#endRest(), REST_MS);
  }

  #endRest(): void {
    this.#resting = undefined;
    this.#dispatch();
  }

  readonly #mayGo = (principalId: string): boolean => (this.#options.pace?.restMs(principalId) ?? 0) === 0;

  /** The last free thread is reserved for a principal that uses none and is not late. */
  #next(freeThreads: number): Job<Request, Reply> | undefined {
    const isLate = (principalId: string) => this.#late.has(principalId);
    const held = (holds: (principalId: string) => boolean) =>
      [...this.#threads].some(({ job }) => job !== undefined && holds(job.work.principalId));
    const alone = this.#options.maxThreads === 1;
    const mayTake = (principalId: string) =>
      this.#mayGo(principalId) && (alone || freeThreads > 1 || !held(other => other === principalId));
    return (
      this.#queue.shift(never, principalId => !isLate(principalId) && mayTake(principalId)) ??
      (alone || (freeThreads > 1 && !held(isLate))
        ? this.#queue.shift(never, principalId => isLate(principalId) && this.#mayGo(principalId))
        : undefined)
    );
  }

  #give(thread: Thread<Request, Reply>, work: Job<Request, Reply>): void {
    clearTimeout(thread.idle);
    const { deadlineMs } = this.#options;
    const maxMs = this.#late.has(work.principalId) ? deadlineMs * LATE_SHARE : deadlineMs;
    const timer = setTimeout(() => this.#look(thread), LONG_MS);
    thread.job = { work, time: new WorkTime(thread.threadId, { exact: true }), maxMs, timer };
    thread.worker.postMessage(work.request, work.moved);
  }

  /** Checks the job of a thread, and terminates the thread if the job takes too long. */
  #look(thread: Thread<Request, Reply>): void {
    const { job } = thread;
    if (job === undefined) return;
    const { ranMs, clockMs } = job.time;
    if (ranMs < job.maxMs && clockMs < job.maxMs * MAX_CLOCK_TIMES) {
      job.timer = setTimeout(() => this.#look(thread), Math.ceil(job.maxMs - ranMs));
      return;
    }
    this.#late.note(job.work.principalId);
    this.#lose(thread, this.#options.late());
  }

  /** Starts another thread for waiting jobs, unless an existing one will soon be free. */
  #grow(): void {
    this.#growing = undefined;
    const soonFree = [...this.#threads].some(({ ready, job }) => !ready || (job && job.time.ranMs < LONG_MS));
    if (!soonFree && this.#threads.size < this.#options.maxThreads) this.#startThread();
    this.#dispatch();
  }

  #startThread(): void {
    const worker = new Worker(this.#options.file, {
      resourceLimits: { maxOldGenerationSizeMb: this.#options.maxHeapMb },
      env: {},
      stdin: false,
    });
    worker.unref();
    const thread: Thread<Request, Reply> = {
      worker,
      ready: false,
      threadId: 0,
      job: undefined,
      idle: undefined,
    };
    this.#threads.add(thread);
    worker.on('message', (message: Reply | ThreadReady) => this.#onMessage(thread, message));
    worker.on('error', cause =>
      this.#lose(
        thread,
        thread.ready ? this.#options.broken(cause) : new GatewayError('internal', undefined, { cause }),
      ),
    );
    worker.on('exit', () => this.#lose(thread, new GatewayError('internal')));
  }

  #onMessage(thread: Thread<Request, Reply>, message: Reply | ThreadReady): void {
    const { job } = thread;
    thread.job = undefined;
    if (job !== undefined) {
      clearTimeout(job.timer);
      this.#noteDone(job);
      job.work.settle({ reply: message as Reply });
    } else if (!thread.ready) {
      thread.threadId = (message as ThreadReady).threadId ?? 0;
      lowerPriority(thread.threadId, this.#options.nice);
    }
    thread.ready = true;
    this.#dispatch();
    if (thread.job === undefined && this.#threads.size > this.#options.threads)
      thread.idle = setTimeout(() => this.#lose(thread, new GatewayError('internal')), IDLE_MS).unref();
  }

  #noteDone({ work: { principalId }, time: { ranMs } }: Current<Request, Reply>): void {
    this.#queue.done(principalId, ranMs);
    this.#options.pace?.noteWork(principalId, ranMs / THREADS_WORTH);
  }

  #lose(thread: Thread<Request, Reply>, fault: GatewayError): void {
    if (!this.#threads.delete(thread)) return;
    clearTimeout(thread.idle);
    void thread.worker.terminate();
    if (thread.job !== undefined) {
      clearTimeout(thread.job.timer);
      this.#noteDone(thread.job);
      thread.job.work.settle({ fault });
    }
    if (thread.ready) this.#dispatch();
    else this.#refuseAll(fault);
  }

  /** Called if a thread does not start: waiting jobs fail instead of waiting for the next thread. */
  #refuseAll(fault: GatewayError): void {
    for (const job of this.#queue.remove(always)) job.settle({ fault });
  }
}

const always = (): boolean => true;
const never = (): boolean => false;
