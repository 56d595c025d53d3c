// QuickJS as WebAssembly with the Node-like runtime (runtime/) inside it, which reaches the sandbox by a few host
// functions. Nothing of this thread's own realm is given to the code. Knows neither programs nor cells.
import { createHash, createHmac, getHashes, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { EvalFlags, type JSValueHandle, QuickJS, type QuickJSOptions } from 'quickjs-wasi';
import { builtFile } from '../../../src/ground/built.ts';
import type { CallHost } from '../host-calls.ts';
import { answerText, type WorkerStart } from '../protocol.ts';
import { isModule, stripTypes } from './syntax.ts';

const MEMORY_BYTES = 256 * 1024 * 1024;
const STACK_BYTES = 384 * 1024;
const MAX_RANDOM_BYTES = 64 * 1024 * 1024;

export type JavaScriptStart = WorkerStart & Pick<QuickJSOptions, 'wasm' | 'extensions'>;

export class Vm {
  readonly #vm: QuickJS;
  readonly #signals: Uint8Array;
  #runtime: JSValueHandle | undefined;
  /** Set by process.exit(): ends everything at the next step of the code. */
  exitCode: number | undefined;
  /** Unhandled rejections: they end a program. */
  readonly #rejections = new Map<number, { promise: JSValueHandle; reason: JSValueHandle }>();

  private constructor(vm: QuickJS, signals: Uint8Array) {
    this.#vm = vm;
    this.#signals = signals;
  }

  static async create(start: JavaScriptStart, call: CallHost): Promise<Vm> {
    let made: Vm | undefined;
    const options: QuickJSOptions = {
      wasm: start.wasm,
      ...(start.extensions && { extensions: start.extensions }),
      memoryLimit: MEMORY_BYTES,
      maxStackSize: STACK_BYTES,
      timezoneOffset: 0,
      interruptHandler: () => made?.interrupted === true || made?.exitCode !== undefined,
      onUnhandledRejection: (promise, reason, isHandled) => made?.noteRejection(promise, reason, isHandled),
      moduleLoader: {
        normalize: (base, name) => made?.ask('resolve', base, name) ?? name,
        load: name => made?.ask('moduleSource', name) ?? '',
      },
    };
    const vm = await QuickJS.create(options);
    made = new Vm(vm, new Uint8Array(start.signals));
    made.#expose(call);
    made.#loadRuntime();
    return made;
  }

  get interrupted(): boolean {
    return this.#signals[0] !== 0;
  }

  clearInterrupt(): void {
    this.#signals[0] = 0;
  }

  /** The reason of an unhandled rejection. */
  get rejection(): JSValueHandle | undefined {
    return this.#rejections.values().next().value?.reason;
  }

  forgetRejections(): void {
    this.#rejections.clear();
  }

  /** Runs what is due of promises. */
  runJobs(): void {
    this.#vm.executePendingJobs();
  }

  /** A promise of what comes of the code. */
  evaluate(code: string, file: string): JSValueHandle {
    return this.#vm.evalCode(code, file, EvalFlags.ASYNC);
  }

  /** Calls a function of the runtime. Handles given are taken over. */
  call(name: string, ...args: (string | JSValueHandle)[]): JSValueHandle {
    if (this.#runtime === undefined) throw new Error('the runtime is not loaded');
    const handles = args.map(arg => (typeof arg === 'string' ? this.#vm.newString(arg) : arg));
    const work = this.#runtime.getProp(name);
    try {
      return this.#vm.callFunction(work, this.#vm.undefined, ...handles);
    } finally {
      for (const handle of [work, ...handles]) handle.dispose();
    }
  }

  /** The same, for its text. */
  ask(name: string, ...args: (string | JSValueHandle)[]): string {
    const answer = this.call(name, ...args);
    const text = answer.toString();
    answer.dispose();
    return text;
  }

  /** Whether it is handled may turn out later. The handles kept keep the identity. */
  noteRejection(promise: JSValueHandle, reason: JSValueHandle, isHandled: boolean): void {
    if (isHandled) this.#rejections.delete(promise.identity);
    else this.#rejections.set(promise.identity, { promise: promise.dup(), reason: reason.dup() });
  }

  /** What host.ts of the runtime takes before any code runs. */
  #expose(call: CallHost): void {
    const given = this.#vm.newObject();
    const set = (name: string, work: (...args: JSValueHandle[]) => JSValueHandle): void =>
      this.#vm.newFunction(name, work).consume(made => given.setProp(name, made));
    const text = (name: string, work: (...texts: string[]) => string | undefined): void =>
      set(name, (...args) => this.#vm.newString(work(...args.map(String)) ?? ''));
    text('host', request => answerText(request, call as (op: string, args: object) => unknown));
    text('hash', hash);
    text('strip', source => {
      const stripped = stripTypes(source);
      if ('error' in stripped) throw new Error(stripped.error);
      return stripped.code;
    });
    text('isModule', source => String(isModule(source)));
    text('library', name => readFileSync(builtFile(`local/programs/javascript/runtime/${name}.js`), 'utf8'));
    text('print', (kind, printed) => {
      call('output', { kind: kind === 'stderr' ? 'stderr' : 'stdout', bytes: Buffer.from(printed) });
      return undefined;
    });
    text('exit', code => {
      this.exitCode = Number(code);
      return '';
    });
    set('compile', (source, file) => this.#vm.evalCode(String(source), String(file)));
    given.consume(() => this.#vm.setProp(this.#vm.global, '__worker', given));
  }

  #loadRuntime(): void {
    const source = readFileSync(builtFile('local/programs/javascript/runtime/entry.js'), 'utf8');
    this.#vm.evalCode(source, 'runtime/entry.js').dispose();
    this.#runtime = this.#vm.global.getProp('__runtime');
    this.#vm.evalCode('delete globalThis.__runtime').dispose();
  }
}

/**
 * Node's own digests and random bytes for the code's crypto module. JSON in, text out: base64 of the bytes.
 * @throws as Node does for an unknown algorithm
 */
function hash(request: string): string {
  const { algorithm, key, data, random, list } = JSON.parse(request);
  if (list === true) return getHashes().join(' ');
  if (random !== undefined) return randomBytes(Math.min(Number(random), MAX_RANDOM_BYTES)).toString('base64');
  const digest = key === undefined ? createHash(algorithm) : createHmac(algorithm, Buffer.from(key, 'base64'));
  return digest.update(Buffer.from(data, 'base64')).digest('base64');
}
