// Imported before what looks at every global there should be.
(globalThis as { Atomics?: unknown }).Atomics ??= {};
