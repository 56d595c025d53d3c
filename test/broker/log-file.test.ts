// The file to which the output of a background command is also written.
import { describe, expect, it } from 'vitest';
import { useSharedSandbox } from '../support/data-plane.ts';

type Started = { pid: number; logPath: string };
type Listed = { pid: number; args: string[]; logPath?: string }[];

describe.each(['virtual', 'process'] as const)('logPath of a background command, %s machines', shell => {
  const parts = useSharedSandbox(shell);

  const start = (cmd: string, opts = {}) =>
    parts.run.call<Started>('Sandbox.commands.run', {
      sandboxId: parts.sandboxId,
      cmd,
      opts: { background: true, ...opts },
    });
  const wait = (pid: number) =>
    parts.run.call<{ exitCode: number; stdout: string; stderr: string }>('Sandbox.commands.wait', {
      sandboxId: parts.sandboxId,
      pid,
      opts: {},
    });
  const read = (path: string, by = parts.run) =>
    by.call<string>('Sandbox.files.read', { sandboxId: parts.sandboxId, path, opts: {} });

  it('has the output of both streams, and changes neither the streams nor the exit code', async () => {
    const { pid, logPath } = await start("echo 'it''s' out; echo err >&2; exit 3");
    expect(await wait(pid)).toMatchObject({ exitCode: 3, stdout: 'its out\n', stderr: 'err\n' });
    expect((await read(logPath)).split('\n').sort()).toEqual(['', 'err', 'its out']);
  });

  it('can be read by a later run, which finds it in commands.list and the handle', async () => {
    const { pid, logPath } = await start('echo ready; sleep 60');
    const later = parts.plane.openRun({ key: parts.run.key });
    await expect.poll(() => read(logPath, later).catch(() => '')).toBe('ready\n');
    const listed = await later.call<Listed>('Sandbox.commands.list', { sandboxId: parts.sandboxId, opts: {} });
    expect(listed.find(process => process.pid === pid)).toMatchObject({
      args: expect.arrayContaining(['echo ready; sleep 60']),
      logPath,
    });
    const found = await later.call('Sandbox.commands.connect', { sandboxId: parts.sandboxId, pid, opts: {} });
    expect(found).toEqual({ pid, logPath });
    expect(await later.call('Sandbox.commands.kill', { sandboxId: parts.sandboxId, pid, opts: {} })).toBe(true);
    later.end();
  });

  it.each([
    ['a plain wait', 'sleep 0.1 & wait; echo done', 'done\n'],
    ['several lines', 'cat <<END\na\nEND\n# comment\necho b', 'a\nb\n'],
    ['variables and quotes', `X="a 'b'"; echo "$X" \\"c\\"`, `a 'b' "c"\n`],
  ])('does not change the result of %s', async (_what, cmd, stdout) => {
    const { pid, logPath } = await start(cmd);
    expect(await wait(pid)).toMatchObject({ exitCode: 0, stdout });
    expect(await read(logPath)).toBe(stdout);
  });

  it('does not keep input from the command', async () => {
    const { pid, logPath } = await start('read x; echo "got $x"', { stdin: true });
    await parts.run.call('Sandbox.commands.sendStdin', { sandboxId: parts.sandboxId, pid, data: 'it\n', opts: {} });
    expect(await wait(pid)).toMatchObject({ stdout: 'got it\n' });
    expect(await read(logPath)).toBe('got it\n');
  });

  it('is missing if the command would be too long for Linux', async () => {
    const { pid, logPath } = await start(`echo ${"''".repeat(50_000)}`);
    expect(logPath).toBeUndefined();
    expect((await wait(pid)).exitCode).toBe(0);
  });
});
