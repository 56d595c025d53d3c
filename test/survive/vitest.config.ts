import { defineConfig } from 'vitest/config';

// One file at a time: each measures a fleet of its own, on the same few cores.
export default defineConfig({
  test: {
    include: ['test/survive/*.test.ts'],
    globalSetup: ['test/support/build.ts'],
    fileParallelism: false,
    testTimeout: 90_000,
    hookTimeout: 60_000,
  },
});
