// The two base images of the engine: one for execute, and one for search with the description in it. They are read from the
// files of the build, or else built on a thread.
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { builtFile } from '../../ground/built.ts';
import { buildImage, type Image, type ImageSource } from './image.ts';
import type { ImagerData } from './imager.ts';
import { readImage, writeImage } from './ready-made.ts';
import { loadQuickjsModule } from './vm.ts';

export type Images = {
  execute(): Promise<Image>;
  search(descriptionJson: string): Promise<Image>;
};

export function createImages(module: WebAssembly.Module): Images {
  const sources = readSources();
  const image = async (source: ImageSource): Promise<Image> => readImage(source) ?? buildInThread(module, source);
  return { execute: () => image(sources.execute), search: json => image(sources.search(json)) };
}

/** Called by the build. */
export function makeImages(descriptionJson: string): void {
  const module = loadQuickjsModule();
  const { execute, search } = readSources();
  for (const source of [execute, search(descriptionJson)]) writeImage(source, buildImage(module, source));
}

function readSources() {
  const platform = readGuest('url') + readGuest('intl');
  const execute: ImageSource = { prelude: platform + readGuest('execute') };
  const prelude = platform + readGuest('search');
  return { execute, search: (descriptionJson: string): ImageSource => ({ prelude, descriptionJson }) };
}

function readGuest(script: 'execute' | 'search' | 'url' | 'intl'): string {
  return readFileSync(builtFile(`guest/prelude/${script}.js`), 'utf8');
}

function buildInThread(module: WebAssembly.Module, source: ImageSource): Promise<Image> {
  const workerData: ImagerData = { module, source };
  const worker = new Worker(builtFile('engine/quickjs/imager.js'), { workerData, env: {}, stdin: false });
  worker.unref();
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the image was not built')));
  });
}
