// Where the interpreters come from: CPython for WebAssembly as just-bash brings it, and QuickJS with what it lacks of the
// web. Each is compiled once and handed to every worker.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import v8 from 'node:v8';
import { builtFile } from '../../src/ground/built.ts';
import type { Language } from '../machine/machine.ts';

/** The little of WebAssembly that is used here: the project's libs are ECMAScript's alone. */
export type WasmModule = { readonly wasmModule: never };
export type WasmInstance = { readonly exports: { readonly memory: { readonly buffer: ArrayBuffer } } };

type WebAssemblyApi = {
  compile(bytes: Uint8Array): Promise<WasmModule>;
  instantiate(module: WasmModule, imports: object): Promise<WasmInstance>;
};

export const webAssembly = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

/** The worker's module, and what it needs. */
export type Interpreter = { readonly url: URL; readonly data: Readonly<Record<string, unknown>> };

const EXTENSIONS = ['crypto', 'structured-clone', 'encoding', 'headers'];
const loaded = new Map<Language, Promise<Interpreter>>();

export function interpreter(language: Language): Promise<Interpreter> {
  const known = loaded.get(language) ?? (language === 'python' ? python() : javascript());
  loaded.set(language, known);
  return known;
}

async function python(): Promise<Interpreter> {
  const folder = fileURLToPath(builtFile('local/programs/python/cpython'));
  const library = await readFile(join(folder, 'python313.zip'));
  const stdlib = new SharedArrayBuffer(library.length);
  new Uint8Array(stdlib).set(library);
  const wasm = await webAssembly.compile(await readFile(join(folder, 'python.wasm')));
  return {
    url: builtFile('local/programs/python/worker.js'),
    data: { loader: join(folder, 'python.cjs'), wasm, stdlib },
  };
}

async function javascript(): Promise<Interpreter> {
  // Arithmetic in constant expressions: Node 20 has it behind a flag. V8's flags are the whole process's.
  if (Number.parseInt(process.versions.node, 10) < 22) v8.setFlagsFromString('--experimental-wasm-extended-const');
  const { resolve } = createRequire(import.meta.url);
  const compile = async (name: string) => webAssembly.compile(await readFile(resolve(`quickjs-wasi/${name}`)));
  const extensions = EXTENSIONS.map(async name => ({ name, wasm: await compile(`${name}.so`) }));
  return {
    url: builtFile('local/programs/javascript/worker.js'),
    data: { wasm: await compile('quickjs.wasm'), extensions: await Promise.all(extensions) },
  };
}
