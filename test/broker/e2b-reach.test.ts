// Commands found again by a run: after a pause, after their end, right after a kill; and what they printed, whole.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDataPlane, type TestDataPlane } from '../support/data-plane.ts';

type Result = { exitCode: number; stdout: string; stderr: string };

describe.each(['virtual', 'process'] as const)('commands, %s machines', shell => {
  let plane: TestDataPlane;
  let run: ReturnType<TestDataPlane['openRun']>;
  let sandboxId: string;
  beforeAll(async () => {
    plane = await startDataPlane({ shell });
    run = plane.openRun({ limits: { maxCalls: 1_000 } });
    sandboxId = (await run.call<{ sandboxId: string }>('Sandbox.create', {})).sandboxId;
  });
  afterAll(async () => {
    await run.call('Sandbox.kill', { sandboxId });
    run.end();
    await plane.close();
  });

  const start = async (cmd: string) =>
    (
      await run.call<{ pid: number }>('Sandbox.commands.run', {
        sandboxId,
        cmd,
        opts: { background: true, stdin: true },
      })
    ).pid;
  const pids = async () =>
    (await run.call<{ pid: number }[]>('Sandbox.commands.list', { sandboxId, opts: {} })).map(({ pid }) => pid);

  it('a handle from before a pause reaches its command again, with what was printed before and after', async () => {
    const pid = await start('echo before; read line; echo "after $line"');
    await expect
      .poll(async () => (await run.call<Result>('Sandbox.commands.output', { sandboxId, pid })).stdout)
      .toBe('before\n');
    await run.call('Sandbox.pause', { sandboxId, opts: {} });
    await run.call('Sandbox.connect', { sandboxId, opts: {} });
    await run.call('Sandbox.commands.connect', { sandboxId, pid, opts: {} });
    await run.call('Sandbox.commands.sendStdin', { sandboxId, pid, data: 'it\n', opts: {} });
    const ended = await run.call<Result>('Sandbox.commands.wait', { sandboxId, pid, opts: {} });
    expect(ended).toMatchObject({ exitCode: 0, stdout: 'before\nafter it\n' });
  });

  it('one that ended or never was: the error is NotFoundError', async () => {
    const pid = await start('echo short');
    await run.call('Sandbox.commands.wait', { sandboxId, pid, opts: {} });
    const other = plane.openRun({ key: run.key });
    for (const each of [pid, 999_999]) {
      const refusal = await other.refusal('Sandbox.commands.connect', { sandboxId, pid: each, opts: {} });
      expect(refusal).toMatchObject({ code: 'sandbox_failed' });
      expect(refusal.message).toMatch(new RegExp(`NotFoundError: no command with pid ${each} runs`));
    }
    other.end();
  });

  it('a killed one is listed no more, nor is one whose time was over', async () => {
    const pid = await start('sleep 60');
    expect(await run.call('Sandbox.commands.kill', { sandboxId, pid, opts: {} })).toBe(true);
    expect(await pids()).not.toContain(pid);
    const late = await run.call('Sandbox.commands.run', { sandboxId, cmd: 'sleep 61', opts: { timeoutMs: 2_000 } });
    expect(late).toMatchObject({ exitCode: -1 });
    await expect.poll(pids).toEqual([]);
  });

  it('900 kB of output come whole', async () => {
    const cmd = 'head -c 900000 /dev/zero | tr "\\0" x';
    const { stdout } = await run.call<Result>('Sandbox.commands.run', { sandboxId, cmd, opts: {} });
    expect(stdout.length).toBe(900_000);
  });
});
