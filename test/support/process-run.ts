// Local mode with real processes for a file of tests, and for each test its own run and sandbox.
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { startDataPlane, type TestDataPlane } from './data-plane.ts';
import { type FaultHook, faulty } from './faults.ts';

type TestRun = ReturnType<TestDataPlane['openRun']>;
type Made = { sandboxId: string };
export type CommandResult = {
  exitCode: number;
  stdout: string;
  stderr: string;
  error?: string;
  dropped?: number;
  pid: number;
};

/** Registers the hooks; all parts exist while a test runs. */
export function useProcessRun({ onRequest }: { readonly onRequest?: FaultHook } = {}) {
  const parts = {} as { plane: TestDataPlane; run: TestRun; sandboxId: string };
  beforeAll(async () => {
    parts.plane = await startDataPlane({ shell: 'process', ...(onRequest && { cloud: faulty(onRequest) }) });
  });
  afterAll(() => parts.plane.close());
  beforeEach(async () => {
    parts.run = parts.plane.openRun({ limits: { maxCalls: 1_000 } });
    parts.sandboxId = (await parts.run.call<Made>('Sandbox.create', {})).sandboxId;
  });
  afterEach(async () => {
    await parts.plane.openRun({ key: parts.run.key }).call('Sandbox.kill', { sandboxId: parts.sandboxId });
  });
  const command = (cmd: string, opts: object = {}, by = parts.run) =>
    by.call<CommandResult>('Sandbox.commands.run', { sandboxId: parts.sandboxId, cmd, opts });
  return { parts, command };
}
