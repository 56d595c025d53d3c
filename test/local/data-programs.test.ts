// Programs in local sandboxes: what virtual shells run themselves, and what the process shell's real processes do.
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { Sandbox as E2BSandbox } from 'e2b';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from './support/conditions.ts';
import { type Connection, Sandbox, startCloud, startSandbox } from './support/data.ts';

describe('programs, virtual shell', () => {
  let sandbox: E2BSandbox;
  let connection: Connection;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ sandbox, connection, close } = await startSandbox());
  });
  afterAll(() => close());

  const run = async (command: string) => (await sandbox.commands.run(command)).stdout;

  test('python scripts: arguments, files, input, exit codes, pipes', async () => {
    await sandbox.files.write(
      'script.py',
      'import sys\nopen("made.txt", "a").write(sys.argv[1])\nprint(sys.stdin.read().upper(), end="")\nsys.exit(3)',
    );
    const error = await sandbox.commands.run('echo piped | python3 script.py ä').catch((caught: unknown) => caught);
    expect(error).toMatchObject({ exitCode: 3, stdout: 'PIPED\n' });
    expect(await run('cat made.txt')).toBe('ä');
    expect(await run('python3 -c "print(6 * 7)" | tr 2 3; python3 --version')).toBe('43\nPython 3.13.2\n');
    await expect(sandbox.commands.run('python3 -c "1 / 0"')).rejects.toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('ZeroDivisionError'),
    });
  });

  test.each([
    ['2>&1', 'o\ne\n', ''],
    ['2>/dev/null', 'o\n', ''],
    ['2> made.err; cat made.err', 'o\ne\n', ''],
    ['1>&2', '', 'o\ne\n'],
    ['> made.out 2>&1; cat made.out', 'o\ne\n', ''],
    ['&> made.both; cat made.both', 'o\ne\n', ''],
    ['2>&1 | cat', 'o\ne\n', ''],
  ])('redirections of programs that stream: %s', async (redirection, stdout, stderr) => {
    const programs = [
      `python3 -c "import sys; print('o', flush=True); sys.stderr.write('e\\n')"`,
      `node -e "console.log('o'); console.error('e')"`,
      `bash -c "echo o; echo e >&2"`,
    ];
    for (const program of programs)
      expect(await sandbox.commands.run(`${program} ${redirection}`), program).toMatchObject({ stdout, stderr });
  });

  test('python reads live input and writes as it goes', async () => {
    const command = await sandbox.commands.run(
      `python3 -c "
while True:
    line = input()
    print('got', line)
    if line == 'stop': break"`,
      { background: true, stdin: true },
    );
    await sandbox.commands.sendStdin(command.pid, 'one\n');
    await until(() => command.stdout === 'got one\n');
    await sandbox.commands.sendStdin(command.pid, 'stop\n');
    expect((await command.wait()).stdout).toBe('got one\ngot stop\n');
  });

  test('node scripts: modules of both kinds, TypeScript, timers, exit codes', async () => {
    await sandbox.files.write('lib.ts', 'export const twice = (n: number): number => n * 2;\n');
    await sandbox.files.write(
      'main.mjs',
      `
import { twice } from './lib.ts';
import { readFileSync } from 'node:fs';
setTimeout(() => console.log('later'), 5);
console.log(twice(21), readFileSync('lib.ts', 'utf8').length, process.argv.slice(2), new URL('http://a/?q=1').searchParams.get('q'));
console.log(await Promise.resolve('awaited'));`,
    );
    expect(await run('node main.mjs x')).toBe("42 51 [ 'x' ] 1\nawaited\nlater\n");
    await sandbox.files.write(
      'common.js',
      'const { name } = require("./package.json"); module.exports = name; console.log(name, __filename); process.exit(4)',
    );
    await sandbox.files.write('package.json', '{"name":"mine"}');
    await expect(sandbox.commands.run('node common.js')).rejects.toMatchObject({
      exitCode: 4,
      stdout: 'mine /home/user/common.js\n',
    });
    await expect(sandbox.commands.run(`node -e 'Promise.reject(new Error("lost"))'`)).rejects.toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('lost'),
    });
  });

  test('programs run programs', async () => {
    const python = `import subprocess as s, os; print(s.run("echo $V | cat", shell=True, capture_output=True, text=True, env={**os.environ, "V": "v"}).stdout, os.system("exit 2") >> 8)`;
    expect(await run(`python3 -c '${python}'`)).toBe('v\n 2\n');
    expect(
      await run(
        `node -e 'const { execSync, spawnSync } = require("child_process"); console.log(String(execSync("echo a")), spawnSync("python3", ["-c", "print(1)"]).status)'`,
      ),
    ).toBe('a\n 0\n');
  });

  test('endless programs end with their command', async () => {
    for (const endless of [
      'python3 -c "while True: pass"',
      'node -e "while (true);"',
      'while true; do :; done',
      'sleep 60 & wait',
    ]) {
      const command = await sandbox.commands.run(endless, { background: true });
      expect(await command.kill()).toBe(true);
      await expect(command.wait()).rejects.toMatchObject({ exitCode: -1 });
    }
    expect(await run('timeout 0.2 python3 -c "while True: pass"; echo $?')).toBe('124\n');
  });

  test('jobs run beside the script', async () => {
    expect(await run('sleep 60 & echo "first"; kill $!; (sleep 0.05; echo second) & wait; echo third')).toBe(
      'first\nsecond\nthird\n',
    );
    expect(await run('for i in 1 2; do echo "job $i" > "job$i" & done; wait; cat job1 job2')).toBe('job 1\njob 2\n');
  });

  test('scripts in scripts stream and take arguments', async () => {
    await sandbox.files.write(
      'outer.sh',
      '#!/bin/bash\necho "outer $1"; bash inner.sh "$2"; x=$(bash -c "echo captured"); echo "$x"',
    );
    await sandbox.files.write('inner.sh', 'echo "inner $1"; cat | wc -c');
    expect(await run('echo four | bash outer.sh a "b c"')).toBe('outer a\ninner b c\n5\ncaptured\n');
  });

  test('what is not here says so', async () => {
    for (const [command, words] of [
      ['pip install numpy', /local mode/],
      ['npm install lodash', /local mode/],
      ['apt-get install vim', /local mode/],
      ['docker ps', /local mode/],
      ['python3 -c "import numpy"', /No module named 'numpy'/],
      [`node -e 'require("lodash")'`, /local mode/],
    ] as const) {
      await expect(sandbox.commands.run(command)).rejects.toMatchObject({ stderr: expect.stringMatching(words) });
    }
  });

  test('sandboxes do not see each other, nor the host', async () => {
    const other = await Sandbox.create(connection);
    await other.files.write('/tmp/secret', 'x');
    expect(await run('ls /tmp | grep secret || echo none; cut -d: -f1 /etc/passwd | tr "\\n" " "')).toBe(
      'none\nroot daemon www-data nobody user ',
    );
    expect(await run('echo $PATH')).toBe('/usr/local/bin:/usr/bin:/bin\n');
    await other.kill();
  });
});

describe('programs, process shell', () => {
  let sandbox: E2BSandbox;
  let connection: Connection;
  let close: () => Promise<void>;
  beforeAll(async () => {
    const started = await startCloud('process');
    connection = started.connection;
    close = () => started.local.close();
    sandbox = await Sandbox.create(connection);
  });
  afterAll(() => close());

  test('the host’s node runs, without the host’s environment', async () => {
    await sandbox.files.write(
      '/home/user/app/run.mjs',
      'console.log(process.version, process.cwd().endsWith("/home/user/app"), Object.keys(process.env).filter(k => /^(npm_|VITEST|NODE_)/.test(k)))',
    );
    const run = await sandbox.commands.run('node /home/user/app/run.mjs', { cwd: '/home/user/app' });
    expect(run.stdout).toBe(`${process.version} true []\n`);
  });

  test('a slow reader holds up the writer, nothing is lost either way', async () => {
    const program =
      'let n = 0; process.stdin.on("data", d => { n += d.length; process.stdin.pause(); setTimeout(() => process.stdin.resume(), 1); }).on("end", () => console.log(n))';
    await sandbox.files.write('slow.js', program);
    const command = await sandbox.commands.run('node slow.js', { background: true, stdin: true });
    for (let round = 0; round < 4; round += 1) await sandbox.commands.sendStdin(command.pid, 'x'.repeat(100_000));
    await sandbox.commands.closeStdin(command.pid);
    expect((await command.wait()).stdout).toBe('400000\n');
    const big = await sandbox.commands.run(`node -e 'process.stdout.write("y".repeat(5_000_000))'`);
    expect(big.stdout.length).toBe(5_000_000);
  });

  test('the signal’s name is reported; SIGTERM can be handled', async () => {
    await expect(sandbox.commands.run('kill -TERM $$')).rejects.toMatchObject({
      exitCode: -1,
      message: 'signal: terminated',
    });
    await expect(sandbox.commands.run('trap "exit 5" TERM; kill -TERM $$; sleep 1')).rejects.toMatchObject({
      exitCode: 5,
    });
  });

  test('what a command leaves behind lives on, and ends with the sandbox, files and all', async () => {
    const other = await Sandbox.create(connection);
    const { stdout } = await other.commands.run('nohup setsid sleep 300 > /dev/null 2>&1 & echo $!; pwd');
    const [pid = '', home = ''] = stdout.split('\n');
    expect(alive(Number(pid))).toBe(true);
    const root =
      home
        .replace(/\/home\/user$/, '')
        .split('/')
        .at(-1) ?? '';
    expect(readdirSync(tmpdir())).toContain(root);
    await other.kill();
    await until(() => !alive(Number(pid)));
    expect(readdirSync(tmpdir())).not.toContain(root);
  });

  test('a pause holds processes still, and they go on afterwards', async () => {
    const other = await Sandbox.create(connection);
    const command = await other.commands.run('while true; do date +%N > tick; sleep 0.01; done', {
      background: true,
      timeoutMs: 0,
    });
    command.wait().catch(() => {});
    await until(() => other.files.exists('tick'));
    await other.pause();
    const back = await Sandbox.connect(other.sandboxId, connection);
    expect((await back.commands.list()).map(process => process.pid)).toContain(command.pid);
    const before = await back.files.read('tick');
    await until(async () => (await back.files.read('tick')) !== before);
    await back.kill();
  });
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
