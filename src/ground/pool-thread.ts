// What a thread of a pool runs: the other side of thread-pool.ts.
import { parentPort } from 'node:worker_threads';
import type { ThreadReady } from './thread-pool.ts';
import { ownThreadId } from './thread-time.ts';

/**
 * Replies to each request with the result of `work`, which adds to `moved` the memory that moves to the receiver without a
 * copy. An error that it throws ends the thread.
 */
export function replyBy<Request, Reply>(work: (request: Request, moved: ArrayBuffer[]) => Reply): void {
  parentPort?.on('message', (request: Request) => {
    const moved: ArrayBuffer[] = [];
    const reply = work(request, moved);
    parentPort?.postMessage(reply, moved);
  });
  parentPort?.postMessage({ ready: true, threadId: ownThreadId() } satisfies ThreadReady);
}
