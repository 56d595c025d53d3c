// The embedded engine: QuickJS in WebAssembly on a few worker threads. Connects images, worker pool and scheduler.

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
  /** The description for `search`, as JSON, see spec/description.ts. */
  readonly descriptionJson: string;
  /** A built file that exports a CodeReader, with which workers accept code of runs `asWritten`. Without it: `unread`. */
  readonly reader?: URL;
  /** Number of threads. Default: the number of cores, at least 2. Long computations occupy one each until their CPU limit. */
  readonly workers?: number;
  /** Maximum number of threads while long slices occupy all of them. Default 8, or two more than `workers`. */
  readonly maxWorkers?: number;
  /** Maximum number of runs that wait for their start; more get `busy`. Default 256. */
  readonly maxQueued?: number;
  /** How long a run may wait for its start before it gets `busy`. Default 5,000. */
  readonly maxQueueMs?: number;
  /** Maximum number of runs that have started and not ended. Default 512; one principal may have half of them. */
  readonly maxLive?: number;
  /** Memory of parked guests, above which no run is started. Default 192 MB. */
  readonly maxParkedBytes?: number;
  /** Nice value of a worker after its first long slice; half of it before. Default 0. */
  readonly nice?: number;
  /** Use a background thread for a second to make the interpreter fast. Default true. */
  readonly warm?: boolean;
  /** Reports failures of workers. */
  readonly log?: (message: string, cause: unknown) => void;
};

const WARM_MS = 1_200;
/** Delay, so that the warming does not compete with the first calls. */
const WARM_AFTER_MS = 300;

export async function createQuickjsEngine(options: QuickjsOptions): Promise<Engine> {
  const module = loadQuickjsModule();
  const images = createImages(module);
  const workers = options.workers ?? Math.min(8, Math.max(2, availableParallelism()));
  const scheduler = new Scheduler(module, {
    workers,
    maxWorkers: Math.max(workers, options.maxWorkers ?? Math.max(8, workers + 2)),
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
      // One after the other, so that the last description is the one that is kept.
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
  worker.on('error', () => undefined); // warming is not needed for correct results
}
