// The little of WebAssembly that is used here, typed: the project's libs are ECMAScript's alone.

export type WasmModule = { readonly wasmModule: never };
export type WasmInstance = { readonly exports: { readonly memory: { readonly buffer: ArrayBuffer } } };

type WebAssemblyApi = {
  compile(bytes: Uint8Array): Promise<WasmModule>;
  validate(bytes: Uint8Array): boolean;
  instantiate(module: WasmModule, imports: object): Promise<WasmInstance>;
};

export const webAssembly = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

/** Arithmetic in constant expressions, which modules made to be linked at run time use: one with a global of 0 + 0. */
const WITH_EXTENDED_CONSTANT = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 6, 9, 1, 127, 0, 65, 0, 65, 0, 106, 11);

export function supportsExtendedConstants(): boolean {
  return webAssembly.validate(WITH_EXTENDED_CONSTANT);
}
