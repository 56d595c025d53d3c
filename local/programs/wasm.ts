// The little of WebAssembly that is used here, typed: the project's libs are ECMAScript's alone.

export type WasmModule = { readonly wasmModule: never };
export type WasmInstance = { readonly exports: { readonly memory: { readonly buffer: ArrayBuffer } } };

type WebAssemblyApi = {
  compile(bytes: Uint8Array): Promise<WasmModule>;
  instantiate(module: WasmModule, imports: object): Promise<WasmInstance>;
};

export const webAssembly = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
