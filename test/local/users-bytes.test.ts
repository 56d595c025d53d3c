// Who runs what in a local sandbox and may do what, and output that is bytes: many, odd, or without an end.
import type { Sandbox as E2BSandbox } from 'e2b';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox, startCloud } from './support/data.ts';
import { type Wire, wireOf } from './support/wire.ts';

type Started = Awaited<ReturnType<typeof startCloud>>;
let started: Started;
let sandbox: E2BSandbox;
let wire: Wire;
beforeAll(async () => {
  started = await startCloud('virtual');
  sandbox = await Sandbox.create(started.connection);
  wire = wireOf(started.local, sandbox.sandboxId);
});
afterAll(() => started.local.close());

const run = async (command: string, options: object = {}) => (await sandbox.commands.run(command, options)).stdout;
const failed = (command: string, options: object = {}) =>
  sandbox.commands.run(command, options).then(
    () => 'it succeeded',
    (caught: { stderr?: string; message: string }) => `${caught.stderr ?? ''}${caught.message}`,
  );

describe('users', () => {
  it.each([
    ['whoami; id -u; echo $HOME $USER; pwd', {}, 'user\n1000\n/home/user user\n/home/user\n'],
    ['whoami; id -u; echo $HOME $USER; pwd', { user: 'root' }, 'root\n0\n/root root\n/root\n'],
    ['sudo whoami; sudo -u nobody id -un; whoami', {}, 'root\nnobody\nuser\n'],
    ['echo in | sudo cat; sudo bash -c "whoami; echo $((1+1))"', {}, 'in\nroot\n2\n'],
    ['su -c whoami nobody', { user: 'root' }, 'nobody\n'],
    ['sudo useradd -m newcomer; sudo -u newcomer whoami; id -un newcomer', {}, 'newcomer\nnewcomer\n'],
  ])('%s %o', async (command, options, stdout) => {
    expect(await run(command, options)).toBe(stdout);
  });

  it('that do not exist are refused, by commands and by files', async () => {
    expect(await failed('id', { user: 'nosuch' })).toMatch(/invalid username: 'nosuch'/);
    expect(await failed('sudo -u nosuch id')).toMatch(/unknown user nosuch/);
    await expect(sandbox.files.read('x', { user: 'nosuch' })).rejects.toThrow(/looking up user 'nosuch'/);
    await expect(sandbox.files.list('.', { user: 'nosuch' })).rejects.toThrow(/invalid username: 'nosuch'/);
    const authorization = `Basic ${Buffer.from('nosuch:').toString('base64')}`;
    const unary = await wire.unary('/process.Process/List', {}, { authorization });
    expect([unary.status, unary.body.code]).toEqual([401, 'unauthenticated']);
    await expect(sandbox.files.exists('~nosuch/x')).rejects.toThrow(/cannot expand user-specific home dir/);
  });

  it('own what they make, and do not reach what others keep to themselves', async () => {
    await sandbox.files.write('/root/secret', 'of root', { user: 'root' });
    await sandbox.files.write('/tmp/by-root', 'x', { user: 'root' });
    expect(await sandbox.files.getInfo('/tmp/by-root')).toMatchObject({ owner: 'root', group: 'root' });
    await run('touch /tmp/by-user; sudo touch /tmp/by-sudo');
    expect((await sandbox.files.getInfo('/tmp/by-user')).owner).toBe('user');
    expect((await sandbox.files.getInfo('/tmp/by-sudo')).owner).toBe('root');
    for (const command of [
      'cat /root/secret',
      'ls /root',
      'echo x > /etc/passwd',
      'touch /opt/x',
      'mkdir /app',
      'rm /tmp/by-root',
      'echo x >> /tmp/by-root',
    ]) {
      expect(await failed(command), command).toMatch(/Permission denied/i);
    }
    await run('sudo mkdir -p /srv/closed/in && sudo chmod 700 /srv/closed');
    for (const cwd of ['/srv/closed', '/srv/closed/in']) {
      await expect(sandbox.commands.run('pwd', { cwd })).rejects.toThrow(/error starting process.*permission denied/s);
      expect(await run('pwd', { cwd, user: 'root' })).toBe(`${cwd}\n`);
    }
    expect(
      await run('sudo cat /root/secret; sudo mkdir /app && sudo chown user /app && echo mine > /app/f && cat /app/f'),
    ).toBe('of rootmine\n');
  });
});

describe('bytes', () => {
  it.each([
    ["printf '\\xe2\\x82'", [0xe2, 0x82]],
    ["printf '\\342'", [0xe2]],
    ["printf 'é\\xff%s' x", [0xc3, 0xa9, 0xff, 0x78]],
    ["echo -e '\\xe9'", [0xe9, 0x0a]],
    ["printf 'plain\\n'", [...Buffer.from('plain\n')]],
    ['head -c 3 /dev/zero', [0, 0, 0]],
  ])('%s', async (command, expected) => {
    await run(`${command} > bytes.bin`);
    expect([...(await sandbox.files.read('bytes.bin', { format: 'bytes' }))]).toEqual(expected);
  });

  it('of one command may be many, in pieces no larger than the daemon’s', async () => {
    const sizes: number[] = [];
    const result = await sandbox.commands.run('head -c 2000000 /dev/zero | tr "\\0" x', {
      onStdout: text => void sizes.push(text.length),
    });
    expect(result.stdout.length).toBe(2_000_000);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(32 * 1024);
    expect((await run('seq 1 150000')).length).toBe(938_895);
    expect(await run('echo {1..20000} | wc -w')).toMatch(/^\s*20000\s*$/);
    expect(await failed('echo x{1..20000}')).toMatch(/use seq/);
  });

  it('come from endless devices as many as asked', async () => {
    expect(
      await run('head -c 100000 /dev/urandom | wc -c; dd if=/dev/zero bs=1k count=10 2>/dev/null | wc -c'),
    ).toMatch(/^\s*100000\s+10240\s*$/);
    expect(await run('tr -dc a-z < /dev/urandom | head -c 12 | wc -c; truncate -s 1M t; stat -c %s t')).toMatch(
      /12\s+1048576/,
    );
    expect(await failed('dd if=/dev/zero of=full')).toMatch(/does not end/);
    expect(await failed('head /dev/zero')).toMatch(/-c/);
  });

  it('end with the signal that was sent', async () => {
    for (const [signal, name] of [
      ['-9', 'killed'],
      ['-KILL', 'killed'],
      ['-s INT', 'interrupt'],
      ['', 'terminated'],
    ]) {
      expect(await failed(`kill ${signal} $$`), signal).toMatch(new RegExp(`signal: ${name}`));
    }
  });
});
