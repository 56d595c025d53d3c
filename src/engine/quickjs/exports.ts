// Types and names of the exports of quickjs-wasi that are used; a test checks the pinned version against the list.

/** A pointer into linear memory to a boxed JSValue. A box is owned by the code that got it, which must free it. */
export type Box = number & { readonly __box: unique symbol };

export type Exports = {
  readonly memory: WebAssembly.Memory;
  readonly __stack_pointer: WebAssembly.Global;
  _initialize(): void;
  wasm_malloc(bytes: number): number;
  wasm_free(pointer: number): void;
  qjs_init(): number;
  qjs_get_runtime_ptr(): number;
  qjs_get_context_ptr(): number;
  qjs_set_runtime_and_context(runtime: number, context: number): void;
  qjs_set_interrupt_handler(on: number): void;
  qjs_set_promise_rejection_handler(on: number): void;
  qjs_set_module_loader(on: number): void;
  qjs_set_memory_limit(bytes: number): void;
  qjs_set_max_stack_size(bytes: number): void;
  qjs_run_gc(): void;
  qjs_set_gc_threshold(bytes: number): void;
  qjs_eval(code: number, length: number, fileName: number, flags: number): Box;
  qjs_compile(
    code: number,
    length: number,
    fileName: number,
    evalFlags: number,
    compileFlags: number,
    lengthOut: number,
  ): number;
  qjs_eval_bytecode(bytecode: number, length: number): Box;
  qjs_call(fn: Box, self: Box, argc: number, argv: number): Box;
  qjs_new_host_function(name: number, length: number, id: number): Box;
  qjs_get_global(): Box;
  qjs_get_undefined(): Box;
  qjs_get_true(): Box;
  qjs_get_false(): Box;
  qjs_get_exception(): Box;
  qjs_new_error(): Box;
  qjs_throw(error: Box): void;
  qjs_new_string(text: number, length: number): Box;
  qjs_new_number(value: number): Box;
  qjs_get_float64(value: Box): number;
  qjs_get_string_len(value: Box, lengthOut: number): number;
  qjs_free_cstring(text: number): void;
  qjs_get_prop_string(object: Box, name: number): Box;
  qjs_set_prop_string(object: Box, name: number, value: Box): void;
  qjs_is_exception(value: Box): number;
  qjs_is_job_pending(): number;
  qjs_execute_pending_job(): number;
  qjs_free_value(value: Box): void;
};

export const USED_EXPORTS: readonly (keyof Exports)[] = [
  'memory',
  '__stack_pointer',
  '_initialize',
  'wasm_malloc',
  'wasm_free',
  'qjs_init',
  'qjs_get_runtime_ptr',
  'qjs_get_context_ptr',
  'qjs_set_runtime_and_context',
  'qjs_set_interrupt_handler',
  'qjs_set_promise_rejection_handler',
  'qjs_set_module_loader',
  'qjs_set_memory_limit',
  'qjs_set_max_stack_size',
  'qjs_run_gc',
  'qjs_set_gc_threshold',
  'qjs_eval',
  'qjs_compile',
  'qjs_eval_bytecode',
  'qjs_call',
  'qjs_new_host_function',
  'qjs_get_global',
  'qjs_get_undefined',
  'qjs_get_true',
  'qjs_get_false',
  'qjs_get_exception',
  'qjs_new_error',
  'qjs_throw',
  'qjs_new_string',
  'qjs_new_number',
  'qjs_get_float64',
  'qjs_get_string_len',
  'qjs_free_cstring',
  'qjs_get_prop_string',
  'qjs_set_prop_string',
  'qjs_is_exception',
  'qjs_is_job_pending',
  'qjs_execute_pending_job',
  'qjs_free_value',
];
