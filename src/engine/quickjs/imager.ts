// Entry point of a thread that builds one image, posts it and ends.
import { parentPort, workerData } from 'node:worker_threads';
import { buildImage, type ImageSource } from './image.ts';

export type ImagerData = { readonly module: WebAssembly.Module; readonly source: ImageSource };

const { module, source } = workerData as ImagerData;
parentPort?.postMessage(buildImage(module, source));
