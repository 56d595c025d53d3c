// Template builds that run their steps, and volumes that sandboxes share, with E2B's own SDK.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Sandbox as BaseSandbox, Template, Volume } from 'e2b';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Connection, startCloud } from './support/data.ts';

type Started = Awaited<ReturnType<typeof startCloud>>;
let started: Started;
let connection: Connection;
let context: string;
beforeAll(async () => {
  started = await startCloud('virtual');
  connection = started.connection;
  context = mkdtempSync(join(tmpdir(), 'build-context-'));
  writeFileSync(join(context, 'app.txt'), 'copied');
  await mkdir(join(context, 'site/deep'), { recursive: true });
  await writeFile(join(context, 'site/index.html'), '<h1>built</h1>');
  await writeFile(join(context, 'site/deep/page.html'), 'deep');
});
afterAll(async () => {
  rmSync(context, { recursive: true });
  await started.local.close();
});

let count = 0;
const build = async (template: ReturnType<ReturnType<typeof Template>['fromBaseImage']>, logs: string[] = []) => {
  count += 1;
  const name = `built-${count}`;
  await Template.build(template, name, { ...connection, onBuildLogs: entry => void logs.push(entry.message) });
  return name;
};
const from = () => Template({ fileContextPath: context }).fromBaseImage();

describe('a template build', () => {
  it('runs its steps; a sandbox of it has their files, environment, folder and user', async () => {
    const logs: string[] = [];
    const name = await build(
      from()
        .setEnvs({ GREETING: 'hello' })
        .setWorkdir('/home/user/work')
        .runCmd('echo "$GREETING from $(pwd)" > made.txt; echo printed')
        .copy('app.txt', 'here/app.txt')
        .copy('site', '/srv/site')
        .copy('app.txt', '/opt/')
        .runCmd('whoami > /tmp/who', { user: 'root' }),
      logs,
    );
    expect(logs.join('\n')).toMatch(/printed/);
    const sandbox = await BaseSandbox.create(name, connection);
    const run = async (command: string) => (await sandbox.commands.run(command)).stdout;
    expect(await run('cat made.txt; pwd; echo $GREETING; cat here/app.txt')).toBe(
      'hello from /home/user/work\n/home/user/work\nhello\ncopied',
    );
    expect(await run('cat /srv/site/index.html /srv/site/deep/page.html /opt/app.txt')).toBe(
      '<h1>built</h1>deepcopied',
    );
    await sandbox.kill();
  });

  it('is building while it runs, and ready afterwards', async () => {
    const info = await Template.buildInBackground(from().runCmd('sleep 1'), 'slow', connection);
    expect((await Template.getBuildStatus(info, connection)).status).toBe('building');
    await expect
      .poll(async () => (await Template.getBuildStatus(info, connection)).status, { timeout: 15_000, interval: 50 })
      .toBe('ready');
  });

  it.each([
    ['a command that fails', () => from().runCmd('echo the reason >&2; exit 3'), /exit status 3[\s\S]*the reason/],
    [
      'an unknown user',
      () => from().runCmd('whoami', { user: 'nosuch' }),
      /failed to run command 'whoami': .*invalid username: 'nosuch'/,
    ],
    ['a package from the network', () => from().pipInstall('requests'), /requests cannot be installed/],
    ['a later step', () => from().runCmd('true').runCmd('cat /nowhere'), /No such file/],
  ])('fails with the output of %s', async (_what, template, words) => {
    await expect(build(template())).rejects.toThrow(words);
  });

  it('starts from another template, and starts its command in each sandbox', async () => {
    const base = await build(from().runCmd('echo below > below.txt'));
    const above = Template().fromTemplate(base).setStartCmd('echo started > up.txt; sleep 300', 'test -f up.txt');
    const name = await build(above as never);
    const sandbox = await BaseSandbox.create(name, connection);
    expect(await sandbox.files.read('below.txt')).toBe('below\n');
    await expect.poll(() => sandbox.commands.list(), { timeout: 10_000 }).toHaveLength(1);
    await sandbox.kill();
  });
});

describe('a volume', () => {
  const options = () => ({ ...connection, apiUrl: connection.apiUrl });

  it('is one folder in all sandboxes that mount it, and outlives them', async () => {
    const volume = await Volume.create(`shared-${Date.now()}`, options());
    const mounted = { ...connection, volumeMounts: { '/mnt/data': volume } };
    const [one, two] = [await BaseSandbox.create('base', mounted), await BaseSandbox.create('base', mounted)];
    await one.files.write('/mnt/data/deep/from-one.txt', 'by the API');
    await one.commands.run(
      'echo by the shell > /mnt/data/shell.txt; cp /mnt/data/shell.txt /tmp/copy; mv /tmp/copy /mnt/data/moved',
    );
    expect(
      (await two.commands.run('cat /mnt/data/deep/from-one.txt; cat /mnt/data/shell.txt /mnt/data/moved')).stdout,
    ).toBe('by the APIby the shell\nby the shell\n');
    expect((await two.files.list('/mnt/data')).map(({ path }) => path)).toEqual([
      '/mnt/data/deep',
      '/mnt/data/moved',
      '/mnt/data/shell.txt',
    ]);
    await one.kill();
    await two.files.remove('/mnt/data/moved');
    await two.kill();
    const three = await BaseSandbox.create('base', mounted);
    expect((await three.commands.run('ls /mnt/data; ls /mnt')).stdout).toBe('deep\nshell.txt\ndata\n');
    await three.kill();
  });

  it('answers its content API to its own token only', async () => {
    const volume = await Volume.create(`content-${Date.now()}`, options());
    const other = await Volume.create(`other-${Date.now()}`, options());
    const call = (what: string, init: RequestInit = {}, token = volume.token) =>
      fetch(`${connection.apiUrl}/volumecontent/${volume.volumeId}/${what}`, {
        ...init,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' },
      });
    expect((await call('file?path=/a.txt', { method: 'PUT', body: 'bytes' })).status).toBe(201);
    expect((await call('file?path=/a.txt', { method: 'PUT', body: 'again' })).status).toBe(409);
    expect((await call('file?path=/a.txt&force=true', { method: 'PUT', body: 'again' })).status).toBe(201);
    expect((await call('file?path=/none/a.txt', { method: 'PUT', body: 'x' })).status).toBe(404);
    expect(await (await call('file?path=/a.txt')).text()).toBe('again');
    expect((await call('dir?path=/d/e', { method: 'POST' })).status).toBe(404);
    expect((await call('dir?path=/d/e&force=true&mode=448', { method: 'POST' })).status).toBe(201);
    expect(await (await call('path?path=/d/e')).json()).toMatchObject({ name: 'e', type: 'directory', mode: 0o700 });
    expect(await (await call('dir?path=/&depth=2')).json()).toMatchObject([
      { path: '/a.txt', size: 5 },
      { path: '/d' },
      { path: '/d/e' },
    ]);
    expect((await call('path?path=/d', { method: 'DELETE' })).status).toBe(204);
    expect((await call('path?path=/d')).status).toBe(404);
    for (const token of [other.token, 'wrong']) {
      expect([401, 404]).toContain((await call('file?path=/a.txt', {}, token)).status);
    }
  });
});
