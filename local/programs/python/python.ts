// Where Python comes from: CPython for WebAssembly, as just-bash brings it; the build puts it beside the worker. Loaded once, handed to every worker.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtFile } from '../../../src/ground/built.ts';
import { webAssembly } from '../wasm.ts';

type Python = { readonly url: URL; readonly data: Readonly<Record<string, unknown>> };

let loaded: Promise<Python> | undefined;

export function python(): Promise<Python> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<Python> {
  const folder = fileURLToPath(builtFile('local/programs/python/cpython'));
  const [wasm, library] = await Promise.all([
    readFile(join(folder, 'python.wasm')),
    readFile(join(folder, 'python313.zip')),
  ]);
  const stdlib = new SharedArrayBuffer(library.length);
  new Uint8Array(stdlib).set(library);
  const data = { loader: join(folder, 'python.cjs'), wasm: await webAssembly.compile(wasm), stdlib };
  return { url: builtFile('local/programs/python/worker.js'), data };
}
