// A base image: one guest, its prelude (and description) evaluated once, frozen as the bytes of its linear memory. Every
// run starts from a copy. Built off the main thread (imager.ts); workers share the bytes, read-only by convention.
import { IMPORT_MESSAGE } from '../../guest/prelude/absent.ts';
import { type Box, Vm } from './vm.ts';

export type Image = {
  /** In a SharedArrayBuffer: `core` bytes of state, then slack that is all but empty. */
  readonly memory: Uint8Array;
  readonly coreBytes: number;
  readonly stackPointer: number;
  readonly runtime: number;
  readonly context: number;
  /** The prelude's two entry points. */
  readonly start: Box;
  readonly settle: Box;
};

/** QuickJS allows 512 kB of its 1 MB stack: about 2,200 plain frames. */
const STACK_BYTES = 512 * 1024;

/** Room a run may fill before its memory must grow; an instance that grew cannot be reset and is replaced. */
const SLACK_BYTES = 1024 * 1024;

export type ImageSource = {
  /** The bundled prelude. */
  readonly prelude: string;
  /** Only for the guest of search. */
  readonly descriptionJson?: string;
};

export function buildImage(module: WebAssembly.Module, { prelude, descriptionJson }: ImageSource): Image {
  const vm = new Vm(module, {
    interrupt: () => false,
    send: () => undefined,
    importMessage: () => IMPORT_MESSAGE,
  });
  vm.boot(STACK_BYTES);
  vm.setGlobal('__send', vm.hostFunction('send'));
  if (descriptionJson !== undefined) vm.setGlobal('__description', vm.string(descriptionJson));
  vm.exports.qjs_free_value(vm.eval(prelude, 'prelude.js'));
  const guest = vm.eval(
    '(() => { const guest = globalThis.__guest; delete globalThis.__guest; return guest })()',
    'image.js',
  );
  const start = vm.getProperty(guest, 'start');
  const settle = vm.getProperty(guest, 'settle');
  vm.exports.qjs_free_value(guest);
  vm.exports.qjs_run_gc();

  const coreBytes = vm.exports.memory.buffer.byteLength;
  vm.exports.wasm_free(vm.exports.wasm_malloc(SLACK_BYTES)); // the allocator keeps it as its top chunk
  const memory = new Uint8Array(new SharedArrayBuffer(vm.exports.memory.buffer.byteLength));
  memory.set(vm.memory);
  return {
    memory,
    coreBytes,
    stackPointer: vm.exports.__stack_pointer.value,
    runtime: vm.exports.qjs_get_runtime_ptr(),
    context: vm.exports.qjs_get_context_ptr(),
    start,
    settle,
  };
}
