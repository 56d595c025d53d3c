// A base image: one guest, its prelude (and description) evaluated once, frozen as the bytes of its linear memory. Every
// run starts from a copy. Built off the main thread (imager.ts); workers share the bytes, read-only by convention.
import { IMPORT_MESSAGE } from '../protocol.ts';
import type { Box } from './exports.ts';
import { Vm } from './vm.ts';

export type Image = {
  /**
   * In a SharedArrayBuffer. Stack first: between slices it holds nothing, so it is zero here and is never saved. Then
   * state up to `coreBytes`, then slack that is all but empty.
   */
  readonly memory: Uint8Array;
  /** The end of the stack: its pointer's value between slices. */
  readonly stackBytes: number;
  readonly coreBytes: number;
  readonly runtime: number;
  readonly context: number;
  /** The prelude's entry points. */
  readonly start: Box;
  readonly settle: Box;
  readonly reject: Box;
};

/** QuickJS allows 512 kB of its 1 MB stack: about 2,200 plain frames. */
const STACK_BYTES = 512 * 1024;

/**
 * Cycles are looked for when this much is allocated, then at half as much again. Reference counts free all else, and a
 * collection touches every page there is: most runs should end before the first.
 */
const GC_BYTES = 8 * 1024 * 1024;

/** Room a run may fill before its memory must grow; an instance that grew cannot be reset and is replaced. */
const SLACK_BYTES = 1024 * 1024;

export type ImageSource = {
  /** The bundled prelude. */
  readonly prelude: string;
  /** Only for the guest of search. */
  readonly descriptionJson?: string;
};

/** Frozen: the same sources make the same bytes, on every machine. What is random in a run, a run asks the host for. */
const NO_HOOKS = { interrupt: () => false, send: () => undefined, importMessage: () => IMPORT_MESSAGE, frozen: true };

export function buildImage(module: WebAssembly.Module, { prelude, descriptionJson }: ImageSource): Image {
  // Compiled in an instance of its own: parsing leaves the heap full of holes, and functions that keep their source
  // text would treble it. What is not in the image is not copied at every reset.
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
