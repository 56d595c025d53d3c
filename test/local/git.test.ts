// git in virtual shells: the SDK's own methods for it, the command line, and repositories served on a port.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from './support/conditions.ts';
import { Sandbox, startCloud } from './support/data.ts';

type Started = Awaited<ReturnType<typeof startCloud>>;

let started: Started;
let sandbox: Sandbox;
beforeAll(async () => {
  started = await startCloud('virtual');
  sandbox = await Sandbox.create(started.connection);
  await sandbox.git.configureUser('Ada', 'ada@example.com');
});
afterAll(() => started.local.close());

const run = async (command: string) => (await sandbox.commands.run(command)).stdout;
const refused = (command: string) => sandbox.commands.run(command).catch((error: unknown) => error);

async function repository(name: string): Promise<string> {
  const path = `/home/user/${name}`;
  await sandbox.git.init(path, { initialBranch: 'main' });
  await sandbox.files.write(`${path}/README.md`, 'hello\n');
  await sandbox.git.add(path);
  await sandbox.git.commit(path, 'first');
  return path;
}

test('the SDK inits, commits, branches, resets and reads status and configuration', async () => {
  const path = await repository('sdk');
  await sandbox.git.createBranch(path, 'feature');
  await sandbox.files.write(`${path}/README.md`, 'changed\n');
  await sandbox.files.write(`${path}/new.txt`, 'new\n');
  await sandbox.git.add(path, { files: ['new.txt'] });
  const { currentBranch, fileStatus } = await sandbox.git.status(path);
  expect([currentBranch, fileStatus.map(({ name, status, staged }) => [name, status, staged])]).toEqual([
    'feature',
    [
      ['README.md', 'modified', false],
      ['new.txt', 'added', true],
    ],
  ]);
  await sandbox.git.reset(path, { mode: 'hard', target: 'HEAD' });
  expect(await sandbox.files.read(`${path}/README.md`)).toBe('hello\n');
  expect(await sandbox.git.branches(path)).toEqual({ branches: ['feature', 'main'], currentBranch: 'feature' });
  await sandbox.git.setConfig('pull.rebase', 'true', { scope: 'local', path });
  expect(await sandbox.git.getConfig('pull.rebase', { scope: 'local', path })).toBe('true');
  expect(await sandbox.git.getConfig('pull.rebase', { scope: 'global' })).toBeUndefined();
  expect(await sandbox.git.getConfig('user.name', { scope: 'global' })).toBe('Ada');
});

test('the command line: options before the command, quiet, an author, patterns, the upstream', async () => {
  const path = await repository('shell');
  const git = (rest: string) => run(`git -C ${path} ${rest}`);
  await run(`echo more >> ${path}/README.md`);
  expect(await git('diff --stat')).toContain('README.md | 1 +');
  expect(await git('commit -qam "second" --author="Bob <bob@example.com>"')).toBe('');
  expect(await git('log --format="%s by %an"')).toBe('second by Bob\nfirst by Ada\n');
  expect(
    await git(
      '-c user.name=Eve commit --allow-empty -m third && cd / && git --git-dir=/home/user/shell/.git log -1 --format=%an',
    ),
  ).toContain('Eve\n');
  await git('branch feature/a; true');
  expect(await git('branch --list "feature/*"')).toBe('  feature/a\n');
  expect(await git('for-each-ref --format="%(refname:short)" refs/heads/')).toBe('feature/a\nmain\n');
  expect(await git('symbolic-ref --short HEAD')).toBe('main\n');
  expect(await refused(`git -C ${path} rev-parse '@{u}'`)).toMatchObject({
    exitCode: 128,
    stderr: "fatal: no upstream configured for branch 'main'\n",
  });
  expect(
    await run(
      `git clone ${path} /home/user/copy; cd /home/user/copy; git rev-parse --abbrev-ref @{u}; git log --oneline | wc -l`,
    ),
  ).toMatch(/^origin\/main\n\s*3\n$/);
});

test('what there is no repository or no network for says so', async () => {
  expect(await refused('cd /tmp && git status')).toMatchObject({
    exitCode: 128,
    stderr: expect.stringContaining('not a git repository'),
  });
  expect(await refused('git clone https://github.com/e2b-dev/e2b.git')).toMatchObject({
    stderr: expect.stringContaining("local mode's sandboxes have no network"),
  });
  expect(await refused('git clone git://localhost:9/none.git')).toMatchObject({
    stderr: expect.stringContaining('Connection refused'),
  });
  expect(await refused('git frobnicate')).toMatchObject({ stderr: expect.stringContaining('not a git command') });
});

test('a repository served by git daemon is pushed to, pulled from, and cloned over HTTP', async () => {
  const path = await repository('served');
  await sandbox.git.init('/home/user/srv/remote.git', { bare: true, initialBranch: 'main' });
  const daemon = await sandbox.commands.run(
    'git daemon --base-path=/home/user/srv --export-all --enable=receive-pack --port=9500',
    { background: true },
  );
  const url = 'git://127.0.0.1:9500/remote.git';
  await until(async () => (await run('ss -Htuln sport = :9500')) !== '');
  await sandbox.git.remoteAdd(path, 'origin', url);
  await sandbox.git.push(path, { remote: 'origin', branch: 'main' });
  await sandbox.git.clone(url, { path: '/home/user/one' });
  await run(`cd ${path} && echo two > two && git add . && git commit -m two && git push`);
  await sandbox.git.pull('/home/user/one');
  expect(await sandbox.files.read('/home/user/one/two')).toBe('two\n');
  await run('git clone http://localhost:9500/remote.git /home/user/two');
  expect(await sandbox.files.read('/home/user/two/two')).toBe('two\n');
  expect(await refused('git clone http://localhost:9500/../../etc')).toMatchObject({
    stderr: expect.stringContaining('404'),
  });
  await daemon.kill();
  await until(async () => (await run('ss -Htuln sport = :9500')) === '');
});

test('another sandbox clones from the port by the name of getHost, as curl, Python and Node reach it; one without internet does not', async () => {
  await repository('shared');
  await run('git clone -q --bare /home/user/shared /home/user/pub/shared.git');
  const daemon = await sandbox.commands.run('git daemon --base-path=/home/user/pub --export-all --port=9600', {
    background: true,
  });
  await until(async () => (await run('ss -Htuln sport = :9600')) !== '');
  const url = `http://${sandbox.getHost(9600)}/shared.git`;
  const other = await Sandbox.create(started.connection);
  expect((await other.commands.run(`git clone ${url} there && cat there/README.md`)).stdout).toBe('hello\n');
  const refs = `${url}/info/refs?service=git-upload-pack`;
  const programs = [
    `curl -s -o /dev/null -w '%{http_code}' '${refs}'`,
    `python3 -c "import urllib.request as u; print(u.urlopen('${refs}').status, end='')"`,
    `node -e "fetch('${refs}').then(r => process.stdout.write(String(r.status)))"`,
  ];
  for (const program of programs) expect((await other.commands.run(program)).stdout).toBe('200');
  // Local mode itself is no sandbox's port.
  const outside = [
    started.connection.apiUrl,
    `http://api.${sandbox.sandboxDomain}/health`,
    `http://${sandbox.getHost(9600)}.example.com/`,
  ];
  for (const address of outside) {
    expect(await other.commands.run(`curl -sS ${address}`).catch((error: unknown) => error)).toMatchObject({
      exitCode: 1,
    });
  }
  const closed = await Sandbox.create({ ...started.connection, allowInternetAccess: false });
  expect(await closed.commands.run(`git clone ${url}`).catch((error: unknown) => error)).toMatchObject({
    stderr: expect.stringContaining('have no network'),
  });
  await daemon.kill();
});
