// Terminals (pty) over virtual shells: what is typed, shown and kept, through the unmodified SDK.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from './support/conditions.ts';
import { Sandbox, startCloud } from './support/data.ts';

type Started = Awaited<ReturnType<typeof startCloud>>;

let started: Started;
let sandbox: Sandbox;
beforeAll(async () => {
  started = await startCloud('virtual');
  sandbox = await Sandbox.create(started.connection);
});
afterAll(() => started.local.close());

async function open() {
  const decoder = new TextDecoder();
  let shown = '';
  const onData = (data: Uint8Array) => {
    shown += decoder.decode(data, { stream: true });
  };
  const handle = await sandbox.pty.create({ cols: 80, rows: 24, onData, envs: { FOO: 'bar' } });
  const type = (text: string) => sandbox.pty.sendInput(handle.pid, new TextEncoder().encode(text));
  return { handle, type, shown: () => shown };
}

test('lines are echoed and run, variables, functions and the folder stay, and exit gives its code', async () => {
  const { handle, type, shown } = await open();
  await type('x=$FOO; f() { echo "is $x"; }; cd /tmp\r');
  await until(() => shown().includes('user@e2b:/tmp$ '));
  await type('f; pwx\x7fd\r');
  await until(() => shown().includes('is bar\r\n/tmp\r\n'));
  await type('exit 3\r');
  await expect(handle.wait()).rejects.toMatchObject({ exitCode: 3 });
  expect(shown()).toContain('user@e2b:/tmp$ exit 3\r\n');
});

test('the size is what was asked for, and changes', async () => {
  const { handle, type, shown } = await open();
  await type('tput cols\n');
  await until(() => shown().includes('80\r\n'));
  await sandbox.pty.resize(handle.pid, { cols: 132, rows: 50 });
  await type('stty size\nexit\n');
  await handle.wait();
  expect(shown()).toContain('50 132\r\n');
});

test('a mistake in a line does not end the terminal, nor does Ctrl-C; Ctrl-D does', async () => {
  const { handle, type, shown } = await open();
  await type('echo "never closed\r');
  await until(() => shown().includes('unexpected EOF'));
  await type('not entered\x03');
  await type('echo goes on\r');
  await until(() => shown().includes('goes on\r\n'));
  expect(shown()).not.toContain('not: command not found');
  await type('\x04');
  expect((await handle.wait()).exitCode).toBe(0);
});

test('a terminal is listed, connected to and killed like other processes', async () => {
  const { handle, type } = await open();
  expect((await sandbox.commands.list()).map(({ pid }) => pid)).toContain(handle.pid);
  let seen = '';
  const onData = (data: Uint8Array) => {
    seen += Buffer.from(data);
  };
  const second = await sandbox.pty.connect(handle.pid, { onData });
  await type('echo $((6 * 7))\r');
  await until(() => seen.includes('42'));
  expect(await sandbox.pty.kill(handle.pid)).toBe(true);
  await expect(second.wait()).rejects.toMatchObject({ exitCode: -1 });
  expect(await sandbox.pty.kill(handle.pid)).toBe(false);
});
