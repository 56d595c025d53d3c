// A few threads for work that would hold the main thread for more than some milliseconds. One job a thread at a time,
// principals take turns, each job has a deadline. Knows nothing of the work: an entry of its own does it, see serveThread.
import { availableParallelism } from 'node:os';
import { parentPort, Worker } from 'node:worker_threads';
import { Places } from './places.ts';

export type ThreadOptions = {
  /** A file of the build that calls serveThread. */
  readonly entry: URL;
  /** From the moment a thread takes the job. */
  readonly deadlineMs: number;
  readonly maxHeapMb: number;
};

/** `ms`: CPU time of the thread, to be charged to whom it worked for. */
export type Done<Result> = { readonly result: Result; readonly ms: number };

type Reply<Result> = ({ readonly result: Result } | { readonly error: unknown }) & { readonly ms: number };

/** The job took too long or too much memory, or it was no longer wanted. Its thread is gone. */
export class ThreadLost extends Error {
  override readonly name = 'ThreadLost';
}

const THREADS = Math.max(1, Math.min(4, availableParallelism() - 1));

export class Threads<Job, Result> {
  readonly #options: ThreadOptions;
  readonly #places = new Places({ max: THREADS, maxPerPrincipal: Math.max(1, THREADS - 1) });
  readonly #idle: Worker[] = [];
  readonly #all = new Set<Worker>();
  #closed = false;

  constructor(options: ThreadOptions) {
    this.#options = options;
  }

  /** @throws GatewayError `cancelled`; ThreadLost; what the work throws */
  async run(principalId: string, job: Job, signal: AbortSignal, transfer: ArrayBuffer[] = []): Promise<Done<Result>> {
    const leave = await this.#places.take(principalId, signal);
    try {
      return await this.#on(this.#idle.pop() ?? this.#start(), job, signal, transfer);
    } finally {
      leave();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#all].map(worker => worker.terminate()));
  }

  #start(): Worker {
    const { entry, maxHeapMb } = this.#options;
    const worker = new Worker(entry, { resourceLimits: { maxOldGenerationSizeMb: maxHeapMb } });
    worker.unref();
    this.#all.add(worker);
    worker.once('exit', () => {
      this.#all.delete(worker);
      const at = this.#idle.indexOf(worker);
      if (at >= 0) this.#idle.splice(at, 1);
    });
    // What ends it is told to whoever waits for it; without a listener the process would end as well.
    worker.on('error', () => {});
    return worker;
  }

  #on(worker: Worker, job: Job, signal: AbortSignal, transfer: ArrayBuffer[]): Promise<Done<Result>> {
    const ended = AbortSignal.any([signal, AbortSignal.timeout(this.#options.deadlineMs)]);
    return new Promise<Done<Result>>((resolve, reject) => {
      const settle = (act: () => void) => {
        ended.removeEventListener('abort', lose);
        worker.off('message', onReply).off('exit', lose);
        act();
      };
      const lose = () =>
        settle(() => {
          void worker.terminate();
          reject(new ThreadLost('the thread was lost'));
        });
      const onReply = (reply: Reply<Result>) =>
        settle(() => {
          if (!this.#closed) this.#idle.push(worker);
          if ('error' in reply) reject(reply.error);
          else resolve(reply);
        });
      worker.on('message', onReply).on('exit', lose);
      ended.addEventListener('abort', lose);
      if (ended.aborted) lose();
      else worker.postMessage(job, transfer);
    });
  }
}

/** In the thread's own entry. */
export function serveThread<Job, Result>(work: (job: Job) => Result): void {
  parentPort?.on('message', (job: Job) => {
    const startedAt = performance.now();
    const reply = (outcome: { result: Result } | { error: unknown }) =>
      parentPort?.postMessage({ ...outcome, ms: performance.now() - startedAt });
    try {
      reply({ result: work(job) });
    } catch (error) {
      reply({ error });
    }
  });
}
