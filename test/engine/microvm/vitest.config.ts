import { defineConfig } from 'vitest/config';

// The microVM engine against local mode's real processes, its contract and its own troubles: a Node process a run and
// many waits, so it takes its time. `pnpm test` leaves it to `pnpm check` and CI.
export default defineConfig({
  test: {
    include: ['test/contract/e2b.test.ts', 'test/engine/microvm/*.test.ts'],
    globalSetup: ['test/support/build.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
