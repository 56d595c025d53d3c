// How much memory V8 takes for garbage. By itself it sizes heaps for the whole machine: the main thread's would hold
// four times what is in use. Node takes these settings by code only while it runs.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** For all threads, from their next collections on. */
export function keepHeapsSmall(): void {
  // Half as much again as is in use, then the heap is collected.
  setFlagsFromString('--heap-growing-percent=50');
  // Compilers of WebAssembly: each has megabytes of its own, and holds a processor that somebody waits for.
  setFlagsFromString('--wasm-num-compilation-tasks=1');
}

let collect: (() => void) | undefined;

/** A full collection of the calling thread's heap, which it waits for. */
export function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}
