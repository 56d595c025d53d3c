// Where JavaScript comes from: QuickJS for WebAssembly, with what it lacks of the web. Compiled once, handed to every
// worker.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import v8 from 'node:v8';
import { builtFile } from '../../../src/ground/built.ts';
import { supportsExtendedConstants, type WasmModule, webAssembly } from '../wasm.ts';

export type Compiled = {
  readonly wasm: WasmModule;
  readonly extensions: readonly { readonly name: string; readonly wasm: WasmModule }[];
};
type JavaScript = { readonly url: URL; readonly data: Compiled };

const EXTENSIONS = ['crypto', 'structured-clone', 'encoding', 'headers'];

let loaded: Promise<JavaScript> | undefined;

export function javascript(): Promise<JavaScript> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<JavaScript> {
  // Node 20 has it behind a flag, newer ones always; V8's flags are the whole process's.
  if (!supportsExtendedConstants()) v8.setFlagsFromString('--experimental-wasm-extended-const');
  const { resolve } = createRequire(import.meta.url);
  const compile = async (name: string) => webAssembly.compile(await readFile(resolve(`quickjs-wasi/${name}`)));
  const [wasm, ...extensions] = await Promise.all([
    compile('quickjs.wasm'),
    ...EXTENSIONS.map(async name => ({ name, wasm: await compile(`${name}.so`) })),
  ]);
  return { url: builtFile('local/programs/javascript/worker.js'), data: { wasm, extensions } };
}
