// Limits the memory that V8 uses for garbage. By default V8 sizes heaps for the whole machine, and the main thread's
// heap would grow to four times its live size. From code, these flags can only be set while Node is running.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Applies to all threads, from their next garbage collection on. */
export function keepHeapsSmall(): void {
  // A heap is collected when it has grown to 1.5 times its live size.
  setFlagsFromString('--heap-growing-percent=50');
  // Each concurrent WebAssembly compilation takes megabytes, and a processor that other work waits for.
  setFlagsFromString('--wasm-num-compilation-tasks=1');
}

let collect: (() => void) | undefined;

/** Runs a full garbage collection of the calling thread's heap. Blocks the thread. */
export function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}
