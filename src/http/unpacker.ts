// Decompresses the bodies of requests on a thread of its own, one after the other. Node's streams would do it on four threads
// that have the priority of the main thread: 30 bodies of 1 kB that unpack to a megabyte kept it from a processor for
// half of the time.
import { GatewayError } from '../errors.ts';
import { builtFile } from '../ground/built.ts';
import { type Sender, ThreadPool } from '../ground/thread-pool.ts';
import type { PackedBody, UnpackedBody } from './unpack.ts';

const RETRY_AFTER_MS = 1_000;

export class Unpacker {
  readonly #threads: ThreadPool<PackedBody, UnpackedBody>;

  /** The thread starts with the first compressed body: most clients send none. `nice`: see ground/thread-time.ts. */
  constructor({ nice = 0 } = {}) {
    this.#threads = new ThreadPool({
      file: builtFile('http/unpack-thread.js'),
      threads: 1,
      maxThreads: 1,
      maxWaiting: 1_000,
      maxHeapMb: 64,
      deadlineMs: 1_000,
      nice,
      // Within the limits of a body this takes milliseconds, so the thread had no processor.
      late: () => new GatewayError('busy', undefined, { retryAfterMs: RETRY_AFTER_MS }),
      broken: cause => new GatewayError('internal', undefined, { cause }),
    });
  }

  /** @throws GatewayError `busy`, `cancelled`, `draining` */
  unpack(body: PackedBody, from: Sender): Promise<UnpackedBody> {
    return this.#threads.run(body, from);
  }

  close(): Promise<void> {
    return this.#threads.close();
  }
}
