// The Dockerfile without Docker: each stage is a folder in which its COPY and RUN lines are executed. The last one is
// started like the image: as another user, in a folder that is not writable. buildah.test.ts builds the real image.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect } from '../support/clients.ts';
import { newKey } from '../support/gateway.ts';
import { run, startAndFindUrl } from './support.ts';

type Stage = { readonly name: string; readonly root: string; workdir: string; env: Record<string, string> };
type Image = Stage & { healthcheck: string[]; entrypoint: string[]; user: string };

const NOBODY = 65_534;
let scratch: string;
let image: Image;
/** The environment of the last stage: no key, no home, nothing of this process. */
let env: Record<string, string>;

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'image-'));
  chmodSync(scratch, 0o755);
  image = build(readFileSync('Dockerfile', 'utf8'), scratch);
  run('chmod', ['-R', 'a-w,a+rX', image.root], scratch);
  env = { PATH: process.env['PATH'] ?? '', ...image.env, PORT: '0' };
});
afterAll(() => {
  run('chmod', ['-R', 'u+w', scratch], tmpdir());
  rmSync(scratch, { recursive: true, force: true });
});

const start = (more: Record<string, string>) => {
  const [command = '', ...args] = image.entrypoint;
  const uid = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  return startAndFindUrl(command, args, { cwd: image.workdir, env: { ...env, ...more }, ...uid });
};

it('runs as an unnamed user on a read-only file system, is healthy, and stops on SIGTERM', async () => {
  expect(image.user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  const { url, child } = await start({ ALLOWED_HOSTS: '127.0.0.1', DRAIN_DELAY_MS: '0' });
  const reachable = url.replace('0.0.0.0', '127.0.0.1');
  const client = await connect(new URL(`${reachable}/mcp`), newKey());
  expect((await client.call('search', `async () => find('pause')[0].operation`)).text).toContain('pause');
  expect((await client.call('execute_read', 'async () => [1, 2, 3]')).text).toContain('2');
  await client.close();

  const [command = '', ...args] = image.healthcheck;
  const healthy = { ...env, PORT: new URL(url).port };
  expect(spawnSync(command, args, { cwd: image.workdir, env: healthy }).status).toBe(0);
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(spawnSync(command, args, { cwd: image.workdir, env: healthy }).status).toBe(1);
});

it('without settings it exits and names the missing one', async () => {
  await expect(start({})).rejects.toThrow(/ALLOWED_HOSTS/);
});

it('contains only what production needs', () => {
  expect(readdirSync(image.workdir).sort()).toEqual(['LICENSE', 'dist', 'node_modules', 'openapi', 'package.json']);
  for (const name of ['typescript', 'vitest', 'just-bash'])
    expect(existsSync(join(image.workdir, 'node_modules', name)), name).toBe(false);
});

function build(dockerfile: string, folder: string): Image {
  const stages: Stage[] = [];
  let stage: Image | undefined;
  for (const line of dockerfile.split('\n')) {
    const [, instruction, rest = ''] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    if (instruction === 'FROM') {
      const name = / AS (\w+)/.exec(rest)?.[1] ?? 'final';
      const root = join(folder, name);
      mkdirSync(root);
      stage = { name, root, workdir: root, env: {}, healthcheck: [], entrypoint: [], user: '' };
      stages.push(stage);
    } else if (stage !== undefined && instruction !== undefined) carryOut(stage, instruction, rest, stages);
  }
  if (stage === undefined) throw new Error('no stage');
  return stage;
}

function carryOut(stage: Image, instruction: string, rest: string, stages: readonly Stage[]): void {
  const pairs = () => Object.fromEntries(rest.split(' ').map(pair => pair.split(/=(.*)/s).slice(0, 2)));
  switch (instruction) {
    case 'WORKDIR':
      stage.workdir = join(stage.root, rest);
      mkdirSync(stage.workdir, { recursive: true });
      return;
    case 'ARG':
    case 'ENV':
      Object.assign(stage.env, pairs());
      return;
    case 'COPY':
      copy(stage, rest.split(' '), stages);
      return;
    case 'RUN':
      return void run(
        'env',
        [...Object.entries(stage.env).map(pair => pair.join('=')), 'sh', '-c', rest],
        stage.workdir,
      );
    case 'HEALTHCHECK':
      stage.healthcheck = JSON.parse(rest.slice(rest.indexOf('CMD ') + 4));
      return;
    case 'ENTRYPOINT':
      stage.entrypoint = JSON.parse(rest);
      return;
    case 'USER':
      stage.user = rest;
      return;
    case 'EXPOSE':
    case 'STOPSIGNAL':
      return;
    default:
      throw new Error(`this test does not know ${instruction}`);
  }
}

function copy(stage: Stage, words: readonly string[], stages: readonly Stage[]): void {
  const from = words[0]?.startsWith('--from=') ? words[0].slice(7) : undefined;
  const source = from === undefined ? process.cwd() : stages.find(({ name }) => name === from)?.root;
  const paths = words.slice(from === undefined ? 0 : 1);
  const destination = join(stage.workdir, paths.at(-1) ?? '');
  if (source === undefined) throw new Error(`no stage ${from}`);
  for (const path of paths.slice(0, -1).flatMap(path => expand(source, path))) {
    const into = paths.at(-1)?.endsWith('/') ? join(destination, basename(path)) : destination;
    cpSync(join(source, path), into, { recursive: true, verbatimSymlinks: true });
  }
}

/** `openapi/*.yaml` -> the files; any other path as it is. */
function expand(root: string, path: string): string[] {
  if (!path.includes('*')) return [path];
  const ending = path.slice(path.indexOf('*') + 1);
  return readdirSync(join(root, dirname(path)))
    .filter(file => file.endsWith(ending))
    .map(file => join(dirname(path), file));
}
