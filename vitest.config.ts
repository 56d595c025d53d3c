import { defineConfig } from 'vitest/config';

// `globalSetup` builds dist/ once: worker threads and the guest prelude run from there, everything else from src/.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Each of these has a command of its own, and CI runs them all.
    exclude: [
      'test/conformance/**',
      'test/survive/**',
      'test/packaging/**',
      'test/engine/microvm/**',
      'test/contract/e2b.test.ts',
    ],
    globalSetup: ['test/support/build.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    pool: 'forks',
    // Files share a process each: they keep no global state, and loading everything anew costs more than the tests.
    isolate: false,
    maxWorkers: 2,
  },
});
