// Reaching commands again: after a pause, after their end, right after a kill; and their complete output.
import { describe, expect, it } from 'vitest';
import { useSharedSandbox } from '../support/data-plane.ts';

type Result = { exitCode: number; stdout: string; stderr: string };

describe.each(['virtual', 'process'] as const)('commands, %s machines', shell => {
  const parts = useSharedSandbox(shell);

  const start = async (cmd: string) =>
    (
      await parts.run.call<{ pid: number }>('Sandbox.commands.run', {
        sandboxId: parts.sandboxId,
        cmd,
        opts: { background: true, stdin: true },
      })
    ).pid;
  const pids = async () =>
    (await parts.run.call<{ pid: number }[]>('Sandbox.commands.list', { sandboxId: parts.sandboxId, opts: {} })).map(
      ({ pid }) => pid,
    );

  it('a handle from before a pause still works, with the output from before and after', async () => {
    const pid = await start('echo before; read line; echo "after $line"');
    await expect
      .poll(
        async () =>
          (await parts.run.call<Result>('Sandbox.commands.output', { sandboxId: parts.sandboxId, pid })).stdout,
      )
      .toBe('before\n');
    await parts.run.call('Sandbox.pause', { sandboxId: parts.sandboxId, opts: {} });
    await parts.run.call('Sandbox.connect', { sandboxId: parts.sandboxId, opts: {} });
    await parts.run.call('Sandbox.commands.connect', { sandboxId: parts.sandboxId, pid, opts: {} });
    await parts.run.call('Sandbox.commands.sendStdin', { sandboxId: parts.sandboxId, pid, data: 'it\n', opts: {} });
    const ended = await parts.run.call<Result>('Sandbox.commands.wait', { sandboxId: parts.sandboxId, pid, opts: {} });
    expect(ended).toMatchObject({ exitCode: 0, stdout: 'before\nafter it\n' });
  });

  it('connecting to a command that has ended or never existed throws NotFoundError', async () => {
    const pid = await start('echo short');
    await parts.run.call('Sandbox.commands.wait', { sandboxId: parts.sandboxId, pid, opts: {} });
    const other = parts.plane.openRun({ key: parts.run.key });
    for (const each of [pid, 999_999]) {
      const refusal = await other.refusal('Sandbox.commands.connect', {
        sandboxId: parts.sandboxId,
        pid: each,
        opts: {},
      });
      expect(refusal).toMatchObject({ code: 'sandbox_failed' });
      expect(refusal.message).toMatch(new RegExp(`NotFoundError: no command with pid ${each} runs`));
    }
    other.end();
  });

  it('a command that was killed or timed out is no longer listed', async () => {
    const pid = await start('sleep 60');
    expect(await parts.run.call('Sandbox.commands.kill', { sandboxId: parts.sandboxId, pid, opts: {} })).toBe(true);
    expect(await pids()).not.toContain(pid);
    const late = await parts.run.call('Sandbox.commands.run', {
      sandboxId: parts.sandboxId,
      cmd: 'sleep 61',
      opts: { timeoutMs: 600 },
    });
    expect(late).toMatchObject({ exitCode: -1 });
    await expect.poll(pids).toEqual([]);
  });

  it('900 kB of output arrive completely', async () => {
    const cmd = 'head -c 900000 /dev/zero | tr "\\0" x';
    const { stdout } = await parts.run.call<Result>('Sandbox.commands.run', {
      sandboxId: parts.sandboxId,
      cmd,
      opts: {},
    });
    expect(stdout.length).toBe(900_000);
  });
});
