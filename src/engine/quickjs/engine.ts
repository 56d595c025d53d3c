// The embedded engine: QuickJS in WebAssembly on a few worker threads. Puts image, pool and scheduler together.

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { builtFile } from '../../ground/built.ts';
import type { Engine } from '../engine.ts';
import type { Image } from './image.ts';
import { createImages } from './images.ts';
import { Scheduler } from './scheduler.ts';
import { loadQuickjsModule } from './vm.ts';
import type { WarmerData } from './warmer.ts';

export type QuickjsOptions = {
  /** What `search` sees: a Description as JSON text, see spec/description.ts. */
  readonly descriptionJson: string;
  /** A built file that exports a CodeReader: workers read with it what runs `asWritten` hold. None: they are `unread`. */
  readonly reader?: URL;
  /** Threads always there. Default: as many as cores, at least 2. A hog holds one until its CPU budget is spent. */
  readonly workers?: number;
  /** Threads there may be while all are held by long slices. Default 8, or one more than `workers`. */
  readonly maxWorkers?: number;
  /** Runs that may wait for their start; beyond, `busy`. Default 256. */
  readonly maxQueued?: number;
  /** How long a run may wait for its start; beyond, `busy`. Default 5,000. */
  readonly maxQueueMs?: number;
  /** Runs started and not ended, waiting for the network or not. Default 512; one principal may have half. */
  readonly maxLive?: number;
  /** Memory of waiting guests outside workers; beyond, no run is started. Default 192 MB. */
  readonly maxParkedBytes?: number;
  /** How far workers give way to the main thread, see ground/thread-time.ts. Default 0. */
  readonly nice?: number;
  /** Spend a second of a background thread on making the interpreter fast. Default true. */
  readonly warm?: boolean;
  /** Reports failures of workers. */
  readonly log?: (message: string, cause: unknown) => void;
};

const WARM_MS = 1_200;
/** The first calls have the cores for themselves. */
const WARM_AFTER_MS = 300;

export async function createQuickjsEngine(options: QuickjsOptions): Promise<Engine> {
  const module = loadQuickjsModule();
  const images = createImages(module);
  const workers = options.workers ?? Math.min(8, Math.max(2, availableParallelism()));
  const scheduler = new Scheduler(module, {
    workers,
    maxWorkers: Math.max(workers, options.maxWorkers ?? Math.max(8, workers + 1)),
    reader: options.reader,
    maxQueued: options.maxQueued ?? 256,
    maxQueueMs: options.maxQueueMs ?? 5_000,
    maxLive: options.maxLive ?? 512,
    maxParkedBytes: options.maxParkedBytes ?? 192 * 1024 * 1024,
    nice: options.nice ?? 0,
    log: options.log ?? (() => undefined),
  });

  const EXECUTE = 0;
  let search = 1;
  const [execute, firstSearch] = await Promise.all([
    images.execute(),
    images.search(options.descriptionJson),
    scheduler.start(),
  ]);
  scheduler.addImage(EXECUTE, execute);
  scheduler.addImage(search, firstSearch);
  const warming = options.warm === false ? undefined : setTimeout(() => warm(module, execute), WARM_AFTER_MS).unref();

  let describing: Promise<void> = Promise.resolve();
  const replaceSearch = (next: Image) => {
    const old = search;
    search += 1;
    scheduler.addImage(search, next);
    scheduler.retireImage(old);
  };

  return {
    name: 'quickjs',
    nameFor: () => 'quickjs',
    run: job => scheduler.run(job, job.surface === 'search' ? search : EXECUTE),
    describe(descriptionJson) {
      // One after the other, so that the last description given is the one that stays.
      const replaced = describing.then(async () => replaceSearch(await images.search(descriptionJson)));
      describing = replaced.catch(() => undefined);
      return replaced;
    },
    stats: () => scheduler.stats(),
    close() {
      clearTimeout(warming);
      return scheduler.close();
    },
  };
}

function warm(module: WebAssembly.Module, image: Image): void {
  const workerData: WarmerData = { module, image, warmMs: WARM_MS };
  const worker = new Worker(builtFile('engine/quickjs/warmer.js'), { workerData, env: {}, stdin: false });
  worker.unref();
  worker.on('error', () => undefined); // it only makes things faster
}
