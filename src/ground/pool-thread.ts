// What a thread of a pool runs: the other side of thread-pool.ts.
import { parentPort } from 'node:worker_threads';
import type { ThreadReady } from './thread-pool.ts';
import { ownThreadId } from './thread-time.ts';

/** Replies to each request with the result of `work`. An error that `work` throws ends the thread. */
export function replyBy<Request, Reply>(work: (request: Request) => Reply): void {
  parentPort?.on('message', (request: Request) => parentPort?.postMessage(work(request)));
  parentPort?.postMessage({ ready: true, threadId: ownThreadId() } satisfies ThreadReady);
}
