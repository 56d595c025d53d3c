// A JavaScript interpreter in a worker thread: QuickJS as WebAssembly, with a Node-like runtime (runtime/) inside it that
// reaches the sandbox by one host call. Nothing of this thread's own realm is given to the code.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import v8 from 'node:v8';
import { workerData } from 'node:worker_threads';
import { EvalFlags, JSException, type JSValueHandle, QuickJS, type QuickJSOptions } from 'quickjs-wasi';
import { builtFile } from '../../../src/ground/built.ts';
import { type Cell, type HostFailure, hostCaller, type WorkerStart } from '../protocol.ts';
import { stripTypes } from '../strip-types.ts';
import { importsAsAwaits, isJavaScript, isModule } from './cell-syntax.ts';

const MEMORY_BYTES = 256 * 1024 * 1024;
const STACK_BYTES = 384 * 1024;
const EXTENSIONS = ['url', 'crypto', 'structured-clone'];
const RUNTIME = 'runtime/';

const start = workerData as WorkerStart;
const call = hostCaller(start);
const signals = new Uint8Array(start.signals);

type Runtime = (name: string, ...args: JSValueHandle[]) => JSValueHandle;

async function main(): Promise<void> {
  const vm = await makeVm();
  const runtime = await loadRuntime(vm);
  const cwd = start.cwd;
  const begin = JSON.stringify({ args: scriptArgs(start.args ?? []), cwd, env: start.env });
  runtime('start', vm.newString(begin)).dispose();
  if (start.args === undefined) cells(vm, runtime);
  else process.exitCode = program(vm, runtime, start.args);
}

async function makeVm(): Promise<QuickJS> {
  // Node 20 needs it for the extensions.
  v8.setFlagsFromString('--experimental-wasm-extended-const');
  const file = (name: string): Uint8Array => readFileSync(fileURLToPath(import.meta.resolve(`quickjs-wasi/${name}`)));
  const options: QuickJSOptions = {
    wasm: file('quickjs.wasm'),
    extensions: EXTENSIONS.map(name => ({ name, wasm: file(`${name}.so`) })),
    memoryLimit: MEMORY_BYTES,
    maxStackSize: STACK_BYTES,
    timezoneOffset: 0,
    interruptHandler: () => signals[0] !== 0 || exitRequested !== undefined,
    onUnhandledRejection(promise, reason, isHandled) {
      if (isHandled) rejections.delete(promise.ptr);
      else rejections.set(promise.ptr, reason.dup());
    },
    moduleLoader: { normalize: (base, name) => normalize(base, name), load: name => source(name) },
  };
  const vm = await QuickJS.create(options);
  expose(vm, '__exit', code => {
    exitRequested = Number(code);
    return '';
  });
  expose(vm, '__host', request => answer(request));
  const compile = vm.newFunction('__compile', (text: JSValueHandle, file: JSValueHandle) =>
    vm.evalCode(text.toString(), file.toString()),
  );
  vm.setProp(vm.global, '__compile', compile);
  expose(vm, '__strip', text => {
    const stripped = stripTypes(text);
    if ('error' in stripped) throw new Error(stripped.error);
    return stripped.code;
  });
  return vm;
}

function expose(vm: QuickJS, name: string, work: (text: string) => string): void {
  const made = vm.newFunction(name, (text: JSValueHandle) => vm.newString(work(text.toString())));
  vm.setProp(vm.global, name, made);
  made.dispose();
}

/** JSON both ways; bytes are base64 inside. */
function answer(request: string): string {
  try {
    const { op, args } = JSON.parse(request, (_key, value) =>
      isBytes(value) ? Buffer.from(value.base64, 'base64') : value,
    );
    const value = (call as (op: string, args: object) => unknown)(op, args);
    return JSON.stringify({ value }, (_key, item) =>
      item instanceof Uint8Array ? { base64: Buffer.from(item).toString('base64') } : item,
    );
  } catch (caught) {
    const { code, message } = caught as HostFailure;
    return JSON.stringify({ error: code ?? 'failed', message });
  }
}

function isBytes(value: unknown): value is { base64: string } {
  return typeof value === 'object' && value !== null && 'base64' in value && typeof value.base64 === 'string';
}

let ready: Runtime | undefined;

/** The runtime's own modules stand in the build; those of the sandbox are found by the runtime. */
function normalize(base: string, name: string): string {
  if (ready === undefined) return RUNTIME + name.replace(/^(\.\/|runtime\/)/, '').replace(/\.ts$/, '.js');
  const [from, wanted] = [theVm().newString(base), theVm().newString(name)];
  const found = ready('resolve', from, wanted);
  return found.toString();
}

function source(name: string): string {
  if (ready === undefined) return readFileSync(builtFile(`local/programs/javascript/${name}`), 'utf8');
  return ready('moduleSource', theVm().newString(name)).toString();
}

let current: QuickJS | undefined;
function theVm(): QuickJS {
  if (current === undefined) throw new Error('not started');
  return current;
}

async function loadRuntime(vm: QuickJS): Promise<Runtime> {
  current = vm;
  vm.evalCode(`import './entry.js';`, `${RUNTIME}start.js`, EvalFlags.TYPE_MODULE).dispose();
  vm.executePendingJobs();
  const made = vm.global.getProp('__runtime');
  vm.evalCode('delete globalThis.__runtime').dispose();
  ready = (name, ...args) => {
    const work = made.getProp(name);
    try {
      return vm.callFunction(work, vm.undefined, ...args);
    } finally {
      work.dispose();
      for (const arg of args) arg.dispose();
    }
  };
  return ready;
}

type Program = { source: string; file: string; module: boolean };

/** Set by process.exit(): ends everything at the next step of the code. */
let exitRequested: number | undefined;
/** Promises that nobody listens to, rejected: what ends a program. */
const rejections = new Map<number, JSValueHandle>();

function program(vm: QuickJS, runtime: Runtime, args: readonly string[]): number {
  try {
    const { source: text, file, module } = programOf(args);
    const value = module
      ? vm.evalCode(text.replaceAll('import.meta.url', JSON.stringify(`file://${file}`)), file, EvalFlags.TYPE_MODULE)
      : runtime('runCommon', vm.newString(text), vm.newString(file));
    runtime('watch', value).dispose();
    return run(vm, runtime);
  } catch (caught) {
    if (exitRequested !== undefined) return exitRequested;
    if (caught instanceof JSException) runtime('uncaught', caught.handle).dispose();
    else complain(caught);
    return 1;
  }
}

/** Until the program has failed or nothing is left to wait for. */
function run(vm: QuickJS, runtime: Runtime): number {
  do {
    vm.executePendingJobs();
    if (runtime('state').toString() === 'failed') {
      runtime('uncaughtOutcome').dispose();
      return 1;
    }
    const [rejection] = rejections.values();
    if (rejection !== undefined) {
      runtime('uncaught', rejection).dispose();
      return 1;
    }
  } while (exitRequested === undefined && truthy(runtime('turn')));
  return exitRequested ?? runtime('exitCode').toNumber();
}

function complain(caught: unknown): void {
  const text = caught instanceof Error ? caught.message : String(caught);
  call('output', { kind: 'stderr', bytes: Buffer.from(`${text}\n`) });
}

function scriptArgs(args: readonly string[]): string[] {
  const at = args.findIndex(
    arg => !arg.startsWith('-') || arg === '-e' || arg === '-p' || arg === '--eval' || arg === '--print',
  );
  return at === -1
    ? []
    : /^-/.test(args[at] ?? '')
      ? args.slice(at + 2)
      : [absolute(args[at] ?? ''), ...args.slice(at + 1)];
}

function absolute(file: string): string {
  return file.startsWith('/') ? file : `${start.cwd.replace(/\/$/, '')}/${file.replace(/^\.\//, '')}`;
}

function programOf(args: readonly string[]): Program {
  const at = args.findIndex(arg => /^(-e|-p|-pe|--eval|--print)$/.test(arg));
  const script = args.find(arg => !arg.startsWith('-'));
  if (at !== -1) {
    const text = args[at + 1] ?? '';
    const prints = /p/.test(args[at] ?? '') && args[at] !== '--eval';
    return {
      source: prints ? `console.log(eval(${JSON.stringify(text)}))` : text,
      file: `${start.cwd}/[eval]`,
      module: !prints && isModule(text),
    };
  }
  if (script === undefined || script === '-') {
    const text = stdin();
    return { source: text, file: `${start.cwd}/[stdin]`, module: isModule(text) };
  }
  return fileProgram(absolute(script));
}

function fileProgram(wanted: string): Program {
  const file = [wanted, `${wanted}.js`].find(path => exists(path));
  if (file === undefined) throw new Error(`Error: Cannot find module '${wanted}'`);
  const raw = Buffer.from(call('read', { path: file }))
    .toString('utf8')
    .replace(/^#!.*/, '');
  const typed = /\.[mc]?ts$/.test(file);
  const stripped = typed ? stripTypes(raw) : { code: raw };
  if ('error' in stripped) throw new Error(stripped.error);
  return {
    source: stripped.code,
    file,
    module: file.endsWith('.mjs') || (!/\.c[jt]s$/.test(file) && isModule(stripped.code)),
  };
}

function exists(path: string): boolean {
  try {
    return call('stat', { path }).type === 'file';
  } catch {
    return false;
  }
}

function stdin(): string {
  const parts: Uint8Array[] = [];
  for (let part = call('stdin', {}); part !== null; part = call('stdin', {})) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}

function truthy(handle: JSValueHandle): boolean {
  const value = handle.toString() === 'true';
  handle.dispose();
  return value;
}

/** A code context: cells one after the other in one global scope. */
function cells(vm: QuickJS, runtime: Runtime): void {
  for (let count = 1; ; count += 1) {
    const cell = call('cell', {});
    if (cell === null) return;
    signals[0] = 0;
    const before = runtime('setEnv', vm.newString(JSON.stringify(cell.envs)));
    try {
      const value = vm.evalCode(importsAsAwaits(javascriptOf(cell)), `<cell ${count}>`, EvalFlags.ASYNC);
      runtime('watch', value).dispose();
      settle(vm, runtime);
    } catch (caught) {
      if (exitRequested !== undefined) return;
      const interrupted = signals[0] !== 0;
      signals[0] = 0;
      if (interrupted) failed(new Error('The execution was interrupted'));
      else if (caught instanceof JSException) runtime('failed', caught.handle).dispose();
      else failed(caught);
    }
    signals[0] = 0;
    rejections.clear();
    runtime('restoreEnv', before).dispose();
    call('cellDone', {});
  }
}

/** Here and not on the host: swc may take forever, and only a worker can be ended. E2B's kernel takes types in both. */
function javascriptOf({ code, language }: Cell): string {
  if (language === 'javascript' && isJavaScript(code)) return code;
  const stripped = stripTypes(code);
  if ('code' in stripped) return stripped.code;
  if (language === 'javascript') return code;
  throw new SyntaxError(stripped.error);
}

function failed(caught: unknown): void {
  const error = caught instanceof Error ? caught : new Error(String(caught));
  const traceback = `${error.name}: ${error.message}`;
  call('event', { type: 'error', name: error.name, value: error.message, traceback });
}

/** Waits for the cell's own promise only: its servers and timers go on in the next cells. */
function settle(vm: QuickJS, runtime: Runtime): void {
  do {
    vm.executePendingJobs();
    if (signals[0] !== 0) throw new Error('interrupted');
    const state = runtime('state').toString();
    if (state !== 'pending') {
      runtime(state === 'done' ? 'result' : 'failedOutcome').dispose();
      return;
    }
  } while (truthy(runtime('turn')));
  failed(new Error('The cell waits for a promise that nothing can settle'));
}

await main();
