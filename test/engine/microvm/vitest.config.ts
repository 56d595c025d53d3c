import { defineConfig } from 'vitest/config';

// The microVM engine's own troubles, against local mode's real processes: a Node process a run and many waits, so it
// takes its time. `pnpm test` has the engine's contract and leaves these to `pnpm check` and CI.
export default defineConfig({
  test: {
    include: ['test/engine/microvm/*.test.ts'],
    globalSetup: ['test/support/build.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
