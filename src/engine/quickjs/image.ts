// A base image: the linear memory of a guest after its prelude (and description) was evaluated. Every run starts from a copy
// of it. Built on a thread (imager.ts); workers share the bytes and must not write to them.
import { IMPORT_MESSAGE } from '../protocol.ts';
import type { Box } from './exports.ts';
import { Vm } from './vm.ts';

export type Image = {
  /**
   * In a SharedArrayBuffer. First the stack, which is empty between slices, so it is zero here and never saved. Then the
   * state, up to `coreBytes`, and then slack that is nearly empty.
   */
  readonly memory: Uint8Array;
  /** The end of the stack, which is the value of the stack pointer between slices. */
  readonly stackBytes: number;
  readonly coreBytes: number;
  readonly runtime: number;
  readonly context: number;
  /** The prelude's entry points. */
  readonly start: Box;
  readonly settle: Box;
  readonly reject: Box;
};

/** QuickJS may use 512 kB of its 1 MB stack: about 2,200 plain frames. */
const STACK_BYTES = 512 * 1024;

/**
 * QuickJS searches for cycles when this much is allocated, then again at half as much more. Everything else is freed by
 * reference counts. A search touches every page, so most runs should end before the first one.
 */
const GC_BYTES = 8 * 1024 * 1024;

/** Memory that a run may use before it must grow. An instance that has grown cannot be reset and is replaced. */
const SLACK_BYTES = 1024 * 1024;

export type ImageSource = {
  /** The bundled prelude. */
  readonly prelude: string;
  /** Only for the guest of search. */
  readonly descriptionJson?: string;
};

/** `frozen`: the same sources make the same bytes on every machine. Runs get their random numbers from the host. */
const NO_HOOKS = { interrupt: () => false, send: () => undefined, importMessage: () => IMPORT_MESSAGE, frozen: true };

export function buildImage(module: WebAssembly.Module, { prelude, descriptionJson }: ImageSource): Image {
  // Compiled in a separate instance: parsing fragments the heap, and with the source text of functions the image would be
  // three times as large. Every reset copies the image, so it should be small.
  const compiler = new Vm(module, NO_HOOKS);
  compiler.boot(STACK_BYTES);
  const bytecode = compiler.compile(prelude, 'prelude.js');

  const vm = new Vm(module, NO_HOOKS);
  vm.boot(STACK_BYTES);
  vm.setGlobal('__send', vm.hostFunction('send'));
  if (descriptionJson !== undefined) vm.setGlobal('__description', vm.string(descriptionJson));
  vm.exports.qjs_free_value(vm.evalBytecode(bytecode));
  const guest = vm.eval(TAKE_ENTRY_POINTS, 'image.js');
  const start = vm.getProperty(guest, 'start');
  const settle = vm.getProperty(guest, 'settle');
  const reject = vm.getProperty(guest, 'reject');
  vm.exports.qjs_free_value(guest);
  vm.exports.qjs_run_gc();
  vm.exports.qjs_set_gc_threshold(GC_BYTES);
  return freeze(vm, { start, settle, reject });
}

const TAKE_ENTRY_POINTS = '(() => { const guest = globalThis.__guest; delete globalThis.__guest; return guest })()';

function freeze(vm: Vm, entryPoints: Pick<Image, 'start' | 'settle' | 'reject'>): Image {
  const coreBytes = vm.memory.length;
  vm.exports.wasm_free(vm.exports.wasm_malloc(SLACK_BYTES)); // the allocator keeps it as its top chunk
  const stackBytes = vm.exports.__stack_pointer.value;
  const memory = new Uint8Array(new SharedArrayBuffer(vm.memory.length));
  memory.set(vm.memory);
  memory.fill(0, 0, stackBytes);
  return {
    memory,
    stackBytes,
    coreBytes,
    runtime: vm.exports.qjs_get_runtime_ptr(),
    context: vm.exports.qjs_get_context_ptr(),
    ...entryPoints,
  };
}
