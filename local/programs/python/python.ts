// Where Python comes from: CPython for WebAssembly, as just-bash brings it. Loaded once, handed to every worker.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { builtFile } from '../../../src/ground/built.ts';
import { webAssembly } from '../wasm.ts';

type Python = { readonly url: URL; readonly data: Readonly<Record<string, unknown>> };

let loaded: Promise<Python> | undefined;

/** Rejects when just-bash is not installed. */
export function python(): Promise<Python> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<Python> {
  const bundle = createRequire(import.meta.url).resolve('just-bash');
  const folder = join(dirname(bundle), '../../vendor/cpython-emscripten');
  const [wasm, library] = await Promise.all([
    readFile(join(folder, 'python.wasm')),
    readFile(join(folder, 'python313.zip')),
  ]);
  const stdlib = new SharedArrayBuffer(library.length);
  new Uint8Array(stdlib).set(library);
  const data = { loader: join(folder, 'python.cjs'), wasm: await webAssembly.compile(wasm), stdlib };
  return { url: builtFile('local/programs/python/worker.js'), data };
}
