import { defineConfig } from 'vitest/config';

// What is shipped, outside this repository: the packed tarball and the steps of the Dockerfile. Needs a package registry.
export default defineConfig({
  test: {
    include: ['test/packaging/*.test.ts'],
    globalSetup: ['test/support/build.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 180_000,
  },
});
