// Entry point of a thread that warms up the interpreter and ends. V8 compiles a WebAssembly module for all threads, so code
// that is optimized here is fast in every worker.
import { workerData } from 'node:worker_threads';
import type { Image } from './image.ts';
import { Instance } from './instance.ts';

export type WarmerData = { readonly module: WebAssembly.Module; readonly image: Image; readonly warmMs: number };

const { module, image, warmMs } = workerData as WarmerData;

/** Typical work of agents' code: objects, arrays, sorting, JSON, regular expressions, promises. */
const EXERCISE = `async () => {
  const rows = Array.from({ length: 3000 }, (_, i) => ({ id: i, name: 'n' + (i % 7), tags: [i, String(i)] }));
  rows.sort((a, b) => (a.name < b.name ? -1 : 1));
  const again = JSON.parse(JSON.stringify(rows));
  await null;
  return again.filter(r => /[35]/.test(r.name)).map(r => ({ ...r, sum: r.tags.reduce((s, t) => s + Number(t), 0) }));
}`;

const until = performance.now() + warmMs;
let instance = newInstance();
const limits = JSON.stringify({
  maxResultChars: 1e6,
  maxLogChars: 0,
  maxCallChars: 0,
  maxPendingCalls: 0,
  maxDisplayBytes: 0,
});
while (performance.now() < until) {
  if (instance.grown) instance = newInstance();
  else instance.reset();
  try {
    instance.start(EXERCISE, 'warm.js', limits, 64 << 20);
    while (instance.runJob());
  } catch {
    break; // interrupted at the end of its time
  }
}

function newInstance(): Instance {
  return new Instance(module, image, { interrupt: () => performance.now() > until, send: () => undefined });
}
