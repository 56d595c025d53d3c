// What commands do in a local sandbox, whatever its shell: declared once, run by a test file per shell.
import { CommandExitError, type Sandbox as E2BSandbox, NotFoundError, TimeoutError } from 'e2b';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ShellKind } from '../../support/machines.ts';
import { until } from './conditions.ts';
import { type Connection, Sandbox, startCloud } from './data.ts';

export function commandTests(shell: ShellKind): void {
  describe(`commands, ${shell} shell`, () => {
    let sandbox: E2BSandbox;
    let connection: Connection;
    let close: () => Promise<void>;
    beforeAll(async () => {
      const started = await startCloud(shell);
      connection = started.connection;
      close = () => started.local.close();
      sandbox = await Sandbox.create({ ...connection, envs: { EVERYWHERE: 'of the sandbox' } });
    });
    afterAll(() => close());

    test('a command gives its output and exit code', async () => {
      expect(await sandbox.commands.run('echo out; echo err >&2')).toMatchObject({
        exitCode: 0,
        stdout: 'out\n',
        stderr: 'err\n',
      });
    });

    test('a failing command throws with exit code and output', async () => {
      const error = await sandbox.commands.run('echo before; exit 3').catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(CommandExitError);
      expect(error).toMatchObject({ exitCode: 3, stdout: 'before\n', message: 'exit status 3' });
    });

    test('a program that is not there is exit code 127', async () => {
      await expect(sandbox.commands.run('no-such-program')).rejects.toMatchObject({ exitCode: 127 });
    });

    test('envs of the sandbox and of the command reach it, the host’s do not', async () => {
      process.env.LOCAL_TEST_SECRET = 'of the host';
      const run = await sandbox.commands.run('echo "$EVERYWHERE, $HERE, $LOCAL_TEST_SECRET, $(basename $HOME)"', {
        envs: { HERE: 'of the command' },
      });
      delete process.env.LOCAL_TEST_SECRET;
      expect(run.stdout).toBe('of the sandbox, of the command, , user\n');
    });

    test('env shows what is exported and nothing else', async () => {
      const { stdout } = await sandbox.commands.run('HERE=no; export THERE=yes; env | grep -E "HERE|EVERYWHERE|IFS"');
      expect(stdout.split('\n').sort().join(' ').trim()).toBe('EVERYWHERE=of the sandbox THERE=yes');
    });

    test('cwd is kept, relative to the home', async () => {
      await sandbox.commands.run('mkdir -p deep/er && echo found > deep/er/file');
      expect((await sandbox.commands.run('cat file', { cwd: 'deep/er' })).stdout).toBe('found\n');
      expect((await sandbox.commands.run('cat file', { cwd: '/home/user/deep/er' })).stdout).toBe('found\n');
    });

    test('files and commands see the same files', async () => {
      await sandbox.files.write('/home/user/shared.txt', 'from the API');
      expect((await sandbox.commands.run('cat /home/user/shared.txt; cat shared.txt')).stdout).toBe(
        'from the APIfrom the API',
      );
      await sandbox.commands.run('echo from the shell > /tmp/shell.txt');
      expect(await sandbox.files.read('/tmp/shell.txt')).toBe('from the shell\n');
    });

    test('output streams while the command runs, in order', async () => {
      const seen: string[] = [];
      const command = await sandbox.commands.run('echo one; cat; echo three', {
        background: true,
        stdin: true,
        onStdout: chunk => void seen.push(chunk),
      });
      await until(() => seen.join('') === 'one\n');
      await sandbox.commands.sendStdin(command.pid, 'two\n');
      await until(() => seen.join('') === 'one\ntwo\n');
      await sandbox.commands.closeStdin(command.pid);
      expect((await command.wait()).stdout).toBe('one\ntwo\nthree\n');
    });

    test('output is byte for byte: characters cut between chunks, and much of it', async () => {
      await sandbox.files.write('wide.txt', 'ä€😀'.repeat(100_000));
      const run = await sandbox.commands.run('cat wide.txt');
      expect(run.stdout === 'ä€😀'.repeat(100_000)).toBe(true);
    });

    test('input arrives as bytes, in order', async () => {
      const command = await sandbox.commands.run('cat > received.bin', { background: true, stdin: true });
      const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
      for (let round = 0; round < 3; round += 1) await sandbox.commands.sendStdin(command.pid, bytes);
      await sandbox.commands.closeStdin(command.pid);
      await command.wait();
      const received = await sandbox.files.read('received.bin', { format: 'bytes' });
      expect(Buffer.from(received).equals(Buffer.concat([bytes, bytes, bytes]))).toBe(true);
    });

    test('without stdin a reader sees the end at once', async () => {
      expect((await sandbox.commands.run('cat; echo done')).stdout).toBe('done\n');
    });

    test('read takes a line at a time', async () => {
      const command = await sandbox.commands.run('read a; echo "[$a]"; read b; echo "[$b]"', {
        background: true,
        stdin: true,
      });
      await sandbox.commands.sendStdin(command.pid, 'first\n');
      await until(() => command.stdout === '[first]\n');
      await sandbox.commands.sendStdin(command.pid, 'second\n');
      expect((await command.wait()).stdout).toBe('[first]\n[second]\n');
    });

    test('a background command is listed, found again, and killed once', async () => {
      const command = await sandbox.commands.run('echo up; sleep 60', { background: true, timeoutMs: 0 });
      const listed = (await sandbox.commands.list()).find(process => process.pid === command.pid);
      expect(listed).toMatchObject({ cmd: '/bin/bash', args: ['-l', '-c', 'echo up; sleep 60'] });
      const again = await sandbox.commands.connect(command.pid);
      expect(await command.kill()).toBe(true);
      await expect(command.wait()).rejects.toMatchObject({ exitCode: -1, message: 'signal: killed' });
      await expect(again.wait()).rejects.toMatchObject({ exitCode: -1 });
      expect(await sandbox.commands.kill(command.pid)).toBe(false);
      await until(async () => (await sandbox.commands.list()).every(process => process.pid !== command.pid));
    });

    test('a command outlives the client that started it, and its end is reported to a client that connects', async () => {
      const command = await sandbox.commands.run('read go; echo "ended by $go"', { background: true, stdin: true });
      await command.disconnect();
      const again = await sandbox.commands.connect(command.pid);
      await sandbox.commands.sendStdin(command.pid, 'another\n');
      expect((await again.wait()).stdout).toBe('ended by another\n');
      const late = await sandbox.commands.connect(command.pid);
      expect((await late.wait()).exitCode).toBe(0);
    });

    test('the time limit of a command ends it', async () => {
      const run = sandbox.commands.run('sleep 61', { timeoutMs: 200 });
      await expect(run).rejects.toBeInstanceOf(TimeoutError);
      await until(async () => (await sandbox.commands.list()).every(process => !process.args.includes('sleep 61')));
    });

    test('many commands run at once', async () => {
      const runs = await Promise.all(
        Array.from({ length: 8 }, (_, at) => sandbox.commands.run(`sleep 0.1; echo ${at}`)),
      );
      expect(runs.map(run => run.stdout)).toEqual(Array.from({ length: 8 }, (_, at) => `${at}\n`));
    });

    test('a process that is not there is not found', async () => {
      await expect(sandbox.commands.sendStdin(999_999, 'x')).rejects.toBeInstanceOf(NotFoundError);
      await expect(sandbox.commands.connect(999_999)).rejects.toBeInstanceOf(NotFoundError);
    });

    test('a sandbox’s kill ends its commands and their streams', async () => {
      const other = await Sandbox.create(connection);
      const command = await other.commands.run('sleep 60', { background: true });
      const waited = command.wait().catch((caught: unknown) => caught);
      await other.kill();
      expect(await waited).toBeInstanceOf(Error);
      expect(await other.isRunning()).toBe(false);
      await expect(other.commands.run('echo')).rejects.toThrow(/not running|timeout/i);
    });
  });
}
