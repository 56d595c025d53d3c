import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { SlowFirst } from './test/support/slow-first.ts';

// One project per command: `pnpm test` runs `main`, the others have a command of their own (package.json), and CI runs them all. `globalSetup` builds dist/ first: threads and guest scripts run from there, everything else from src/.
const MICROVM = ['test/contract/microvm.test.ts', 'test/engine/microvm/*.test.ts'];

const project = (
  name: string,
  test: Omit<NonNullable<TestProjectInlineConfiguration['test']>, 'name'>,
): TestProjectInlineConfiguration => ({
  test: {
    name,
    globalSetup: ['test/support/build.ts'],
    pool: 'forks',
    // A larger young generation: tests make much garbage, and collecting it took a tenth of their time.
    execArgv: ['--max-semi-space-size=64'],
    // One more than the cores of a small machine: many tests wait.
    maxWorkers: 3,
    // What is polled for comes late on a busy machine.
    expect: { poll: { timeout: 10_000 } },
    ...test,
  },
});

export default defineConfig({
  test: {
    sequence: { sequencer: SlowFirst },
    projects: [
      project('main', {
        include: ['test/**/*.test.ts'],
        exclude: [
          ...['conformance', 'local', 'oauth', 'packaging', 'page', 'python', 'stall', 'survive'].map(
            folder => `test/${folder}/**`,
          ),
          ...MICROVM,
          'test/cli/**',
        ],
        testTimeout: 20_000,
        hookTimeout: 30_000,
        // Files share a process: they keep no global state, and loading everything again costs more than the tests.
        isolate: false,
      }),
      // Local mode, by E2B's SDK as its users have it: not in one process with the gateway, which puts a fetch of its own into it.
      project('local', {
        include: ['test/local/**/*.test.ts'],
        testTimeout: 30_000,
        hookTimeout: 30_000,
        isolate: false,
      }),
      // A Node process per run and many waits: slow, so not part of `pnpm test`.
      project('microvm', { include: MICROVM, testTimeout: 30_000, hookTimeout: 60_000 }),
      // The official Python SDKs against local mode. Needs Python and a package registry, the first time.
      project('python', { include: ['test/python/*.test.ts'], testTimeout: 300_000 }),
      // E2B's own command line against local mode. Needs a package registry, the first time.
      project('cli', { include: ['test/cli/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 }),
      project('conformance', { include: ['test/conformance/*.test.ts'], testTimeout: 300_000, hookTimeout: 60_000 }),
      // Real clients, a real browser and a real proxy. Needs Chromium, HAProxy, and a package registry the first time.
      project('oauth', {
        include: ['test/oauth/*.test.ts'],
        fileParallelism: false,
        testTimeout: 240_000,
        hookTimeout: 120_000,
      }),
      // The page in Chromium, as a person uses it.
      project('page', {
        include: ['test/page/*.test.ts'],
        fileParallelism: false,
        testTimeout: 180_000,
        hookTimeout: 60_000,
      }),
      // What is shipped, outside this repository: the packed tarball and the image. Needs a package registry.
      project('packaging', {
        include: ['test/packaging/*.test.ts'],
        fileParallelism: false,
        testTimeout: 60_000,
        hookTimeout: 180_000,
      }),
      // A process under attack and its bystanders: alone on the machine.
      project('stall', {
        include: ['test/stall/*.test.ts'],
        fileParallelism: false,
        testTimeout: 120_000,
        hookTimeout: 60_000,
      }),
      // One file at a time: each measures a fleet of its own, on the same few cores.
      project('survive', {
        include: ['test/survive/*.test.ts'],
        fileParallelism: false,
        testTimeout: 90_000,
        hookTimeout: 60_000,
      }),
    ],
  },
});
