// QuickJS in WebAssembly: a thin, typed layer over the exports of quickjs-wasi, independent of guests and messages.
// quickjs-wasi is pinned exactly; test/engine/vm.test.ts fails when the internals used here change.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type JsonText, partsOf } from '../../ground/json-text.ts';
import type { Box, Exports } from './exports.ts';

/** The host functions of the VM. It has no other access to the host: no files, no sockets, no environment. */
export type Hooks = {
  /** Called every few thousand bytecode steps; true stops the guest, which cannot catch that. */
  interrupt(): boolean;
  /**
   * The only host function that the guest can call. A returned string is returned to it. `payload`: UTF-8 in the guest's
   * memory, which is valid only during the call.
   */
  send(kind: number, id: number, payload: Buffer): string | undefined;
  /** The guest's clock, in milliseconds since 1970. Default: the host's clock. */
  now?(): number;
  /** A promise was rejected without a handler, or (`handled`) got one later. Must free both boxes. */
  rejection?(promise: Box, reason: Box, handled: boolean): void;
  /** The message of the error of `import(name)`. */
  importMessage(name: string): string;
  /** Constant time and random numbers, for building an image. Default false. */
  readonly frozen?: boolean;
};

/** Thrown for an error outside the guest's promise chain: a syntax error, an interrupt, too little memory. */
export class GuestException extends Error {
  readonly thrown: { readonly name: string; readonly message: string; readonly stack: string };
  constructor(thrown: GuestException['thrown']) {
    super(thrown.message);
    this.name = 'GuestException';
    this.thrown = thrown;
  }
}

export function readWasm(): Buffer {
  return readFileSync(createRequire(import.meta.url).resolve('quickjs-wasi/quickjs.wasm'));
}

export function loadQuickjsModule(): WebAssembly.Module {
  return new WebAssembly.Module(readWasm());
}

const STRIP_SOURCE = 1 << 4;
const STRIP_DEBUG = 1 << 5;
const WASI_OK = 0;
const WASI_BADF = 8;
const WASI_NOSYS = 52;
const NOTHING = Buffer.alloc(0);

/** One instance with one linear memory and one runtime. Creating one takes a few ms; resetting it (instance.ts) is faster. */
export class Vm {
  readonly exports: Exports;
  readonly #hooks: Hooks;
  #bytes: Buffer;

  constructor(module: WebAssembly.Module, hooks: Hooks) {
    this.#hooks = hooks;
    // test/engine/vm.test.ts checks that the exports have this type; at run time it cannot be narrowed.
    this.exports = new WebAssembly.Instance(module, this.#imports()).exports as unknown as Exports;
    this.#bytes = Buffer.from(this.exports.memory.buffer);
  }

  /** The current linear memory. Do not keep it across a call into the guest: it is replaced when the memory grows. */
  get memory(): Buffer {
    if (this.#bytes.buffer !== this.exports.memory.buffer) this.#bytes = Buffer.from(this.exports.memory.buffer);
    return this.#bytes;
  }

  boot(stackBytes: number): void {
    this.exports._initialize();
    if (this.exports.qjs_init() !== 0) throw new Error('QuickJS did not start');
    this.exports.qjs_set_max_stack_size(stackBytes);
    this.exports.qjs_set_interrupt_handler(1);
    this.exports.qjs_set_promise_rejection_handler(1);
    this.exports.qjs_set_module_loader(1);
  }

  growTo(bytes: number): void {
    const missing = bytes - this.exports.memory.buffer.byteLength;
    if (missing > 0) this.exports.memory.grow(Math.ceil(missing / 65_536));
  }

  /** Evaluates a script. Throws GuestException. */
  eval(code: string, fileName: string): Box {
    const source = this.#write(code);
    const name = this.#write(fileName);
    const result = this.exports.qjs_eval(source.pointer, source.length, name.pointer, 0);
    this.exports.wasm_free(source.pointer);
    this.exports.wasm_free(name.pointer);
    return this.#unwrap(result);
  }

  /** Bytecode of a script, without its source text and line numbers. Throws GuestException. */
  compile(code: string, fileName: string): Uint8Array {
    const source = this.#write(code);
    const name = this.#write(fileName);
    const lengthOut = this.#malloc(4);
    const { pointer: at, length } = source;
    const pointer = this.exports.qjs_compile(at, length, name.pointer, 0, STRIP_SOURCE | STRIP_DEBUG, lengthOut);
    if (pointer === 0) throw this.#takeException();
    const bytes = this.memory.readUInt32LE(lengthOut);
    return Uint8Array.from(this.memory.subarray(pointer, pointer + bytes));
  }

  /** Throws GuestException. */
  evalBytecode(bytecode: Uint8Array): Box {
    const pointer = this.#malloc(bytecode.length);
    this.memory.set(bytecode, pointer);
    const result = this.exports.qjs_eval_bytecode(pointer, bytecode.length);
    this.exports.wasm_free(pointer);
    return this.#unwrap(result);
  }

  /** Calls a guest function and ignores its result. Frees `args`, not `fn`. Throws GuestException. */
  call(fn: Box, ...args: readonly Box[]): void {
    const argv = args.length === 0 ? 0 : this.#malloc(args.length * 4);
    args.forEach((arg, i) => {
      this.memory.writeUInt32LE(arg, argv + i * 4);
    });
    const self = this.exports.qjs_get_undefined();
    const result = this.exports.qjs_call(fn, self, args.length, argv);
    this.exports.qjs_free_value(self);
    if (argv !== 0) this.exports.wasm_free(argv);
    for (const arg of args) this.exports.qjs_free_value(arg);
    this.exports.qjs_free_value(this.#unwrap(result));
  }

  /** Runs one promise job. False if there was none. Throws GuestException. */
  runJob(): boolean {
    if (this.exports.qjs_is_job_pending() === 0) return false;
    if (this.exports.qjs_execute_pending_job() < 0) throw this.#takeException();
    return true;
  }

  string(text: JsonText): Box {
    const { pointer, length } = this.#write(text);
    const box = this.exports.qjs_new_string(pointer, length);
    this.exports.wasm_free(pointer);
    return box;
  }

  number(value: number): Box {
    return this.exports.qjs_new_number(value);
  }

  boolean(value: boolean): Box {
    return value ? this.exports.qjs_get_true() : this.exports.qjs_get_false();
  }

  hostFunction(name: string): Box {
    const { pointer, length } = this.#write(name);
    const box = this.exports.qjs_new_host_function(pointer, length, 0);
    this.exports.wasm_free(pointer);
    return box;
  }

  getProperty(object: Box, name: string): Box {
    const { pointer } = this.#write(name);
    const box = this.exports.qjs_get_prop_string(object, pointer);
    this.exports.wasm_free(pointer);
    return box;
  }

  setGlobal(name: string, value: Box): void {
    const global = this.exports.qjs_get_global();
    const { pointer } = this.#write(name);
    this.exports.qjs_set_prop_string(global, pointer, value);
    this.exports.wasm_free(pointer);
    this.exports.qjs_free_value(global);
    this.exports.qjs_free_value(value);
  }

  /** ToString of a value, with lone surrogates replaced. May run guest code if the value is an object. */
  text(value: Box): string {
    return this.#withUtf8(value, utf8 => utf8.toString('utf8'));
  }

  /** Passes ToString of a value to `read`, as a view of the memory. It is empty if there is no memory for it. */
  #withUtf8<T>(value: Box, read: (utf8: Buffer) => T): T {
    const lengthOut = this.#malloc(4);
    const pointer = this.exports.qjs_get_string_len(value, lengthOut);
    const length = this.memory.readUInt32LE(lengthOut);
    this.exports.wasm_free(lengthOut);
    if (pointer === 0) {
      this.exports.qjs_free_value(this.exports.qjs_get_exception());
      return read(NOTHING);
    }
    const result = read(this.memory.subarray(pointer, pointer + length));
    this.exports.qjs_free_cstring(pointer);
    return result;
  }

  #unwrap(result: Box): Box {
    if (this.exports.qjs_is_exception(result) === 0) return result;
    this.exports.qjs_free_value(result);
    throw this.#takeException();
  }

  #takeException(): GuestException {
    const thrown = this.exports.qjs_get_exception();
    const property = (name: string) => {
      const box = this.getProperty(thrown, name);
      const text = this.text(box);
      this.exports.qjs_free_value(box);
      return text === 'undefined' ? '' : text;
    };
    const parts = { name: property('name'), message: property('message'), stack: property('stack') };
    this.exports.qjs_free_value(thrown);
    return new GuestException(parts);
  }

  #malloc(bytes: number): number {
    const pointer = this.exports.wasm_malloc(bytes);
    if (pointer === 0) throw new GuestException({ name: 'InternalError', message: 'out of memory', stack: '' });
    return pointer;
  }

  /** Copies text into the memory as UTF-8 with a final NUL. Lone surrogates become U+FFFD. */
  #write(text: JsonText): { pointer: number; length: number } {
    const parts = partsOf(text);
    const length = parts.reduce((bytes, part) => bytes + Buffer.byteLength(part), 0);
    const pointer = this.#malloc(length + 1);
    let at = pointer;
    for (const part of parts) {
      if (typeof part === 'string') this.memory.write(part, at, 'utf8');
      else this.memory.set(part, at);
      at += Buffer.byteLength(part);
    }
    this.memory[at] = 0;
    return { pointer, length };
  }

  #hostCall(argc: number, argv: number): Box {
    const arg = (i: number) => this.memory.readUInt32LE(argv + i * 4) as Box;
    if (argc !== 3) return this.exports.qjs_get_undefined();
    const kind = this.exports.qjs_get_float64(arg(0));
    const id = this.exports.qjs_get_float64(arg(1));
    const answer = this.#withUtf8(arg(2), payload => this.#hooks.send(kind, id, payload));
    return answer === undefined ? this.exports.qjs_get_undefined() : this.string(answer);
  }

  #refuseImport(namePointer: number): number {
    const memory = this.memory;
    const name = memory.toString('utf8', namePointer, memory.indexOf(0, namePointer));
    const error = this.exports.qjs_new_error();
    const { pointer } = this.#write('message');
    const message = this.string(this.#hooks.importMessage(name));
    this.exports.qjs_set_prop_string(error, pointer, message);
    this.exports.wasm_free(pointer);
    this.exports.qjs_free_value(message);
    this.exports.qjs_throw(error);
    this.exports.qjs_free_value(error);
    return 0;
  }

  #imports(): WebAssembly.Imports {
    return {
      env: {
        host_call: (_name: number, _nameLength: number, _self: number, argc: number, argv: number) =>
          this.#hostCall(argc, argv),
        host_interrupt: () => (this.#hooks.interrupt() ? 1 : 0),
        host_promise_rejection: (promise: Box, reason: Box, handled: number) => {
          if (this.#hooks.rejection !== undefined) this.#hooks.rejection(promise, reason, handled !== 0);
          else for (const box of [promise, reason]) this.exports.qjs_free_value(box);
          return 0;
        },
        host_module_normalize: (_base: number, name: number) => this.#refuseImport(name),
        host_module_load: (name: number) => this.#refuseImport(name),
        host_get_timezone_offset: () => 0, // UTC, whatever the host's zone
      },
      wasi_snapshot_preview1: {
        clock_time_get: (_clock: number, _precision: bigint, out: number) => {
          this.memory.writeBigUInt64LE(
            this.#hooks.frozen ? 0n : BigInt(this.#hooks.now?.() ?? Date.now()) * 1_000_000n,
            out,
          );
          return WASI_OK;
        },
        random_get: (out: number, length: number) => {
          const bytes = this.memory.subarray(out, out + length);
          if (this.#hooks.frozen) bytes.fill(0);
          else crypto.getRandomValues(bytes);
          return WASI_OK;
        },
        fd_write: (_fd: number, vectors: number, count: number, written: number) => {
          // QuickJS prints only its own assertions, which are dropped.
          let bytes = 0;
          for (let i = 0; i < count; i++) bytes += this.memory.readUInt32LE(vectors + i * 8 + 4);
          this.memory.writeUInt32LE(bytes, written);
          return WASI_OK;
        },
        fd_close: () => WASI_NOSYS,
        fd_fdstat_get: () => WASI_BADF,
        fd_seek: () => WASI_NOSYS,
      },
    };
  }
}
