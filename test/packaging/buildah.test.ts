// The image itself, built from the Dockerfile by buildah and started from it. It needs root, buildah and debootstrap
// (Debian has both); without them the test is skipped and says so.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../support/clients.ts';
import { newKey } from '../support/gateway.ts';
import { run, startAndFindUrl } from './support.ts';

const TAG = 'localhost/e2b-code-mode-test';
const BUILD_MS = 900_000;
/** chroot needs no namespaces and vfs no overlay file system, so this works inside containers as well. */
const SETTINGS = { BUILDAH_ISOLATION: 'chroot', STORAGE_DRIVER: 'vfs' };

const missing = [
  process.getuid?.() === 0 ? '' : 'root',
  ...['buildah', 'debootstrap'].filter(tool => spawnSync('which', [tool]).status !== 0),
].filter(Boolean);
if (missing.length > 0) console.warn(`SKIPPED: the image is not built: it needs ${missing.join(' and ')}`);

const buildah = (...args: string[]) =>
  run('env', [...Object.entries(SETTINGS).map(pair => pair.join('=')), 'buildah', ...args], process.cwd()).trim();

/** How npm reaches its registry on this machine, visible while the image is built and not part of it. */
function npmSettings(): string[] {
  const certificates = process.env['NODE_EXTRA_CA_CERTS'] ?? '';
  const mounts = [
    [`${homedir()}/.npmrc`, '/root/.npmrc'],
    ['/etc/npmrc', '/usr/local/etc/npmrc'],
    [certificates, certificates],
  ].filter(([path = '']) => existsSync(path));
  return [
    ...mounts.flatMap(mount => ['--volume', `${mount.join(':')}:ro`]),
    ...(existsSync(certificates) ? ['--env', `NODE_EXTRA_CA_CERTS=${certificates}`] : []),
  ];
}

describe.skipIf(missing.length > 0)('the image', () => {
  let container = '';
  beforeAll(() => {
    const base = /^FROM (\S+)/m.exec(readFileSync('Dockerfile', 'utf8'))?.[1] ?? '';
    const script = fileURLToPath(new URL('base-image.sh', import.meta.url));
    run('env', [...Object.entries(SETTINGS).map(pair => pair.join('=')), 'bash', script, base], process.cwd());
    buildah('bud', '--network', 'host', ...npmSettings(), '--tag', TAG, '.');
    container = buildah('from', TAG);
  }, BUILD_MS);
  afterAll(() => {
    if (container !== '') buildah('rm', container);
  });

  it('has an unprivileged user, a port, an entry point and nothing but production files', () => {
    const { OCIv1 } = JSON.parse(buildah('inspect', '--type', 'image', TAG));
    expect(OCIv1.config).toMatchObject({
      User: '1000:1000',
      ExposedPorts: { '3000/tcp': {} },
      Entrypoint: ['node', 'dist/main.js'],
      StopSignal: 'SIGTERM',
    });
    const files = buildah('run', container, '--', 'ls', '/app').split(/\s+/);
    expect(files.sort()).toEqual(['LICENSE', 'dist', 'node_modules', 'openapi', 'package.json']);
  });

  it('starts and answers calls', { timeout: 120_000 }, async () => {
    const settings = ['--env', 'PORT=0', '--env', 'ALLOWED_HOSTS=127.0.0.1', '--env', 'DRAIN_DELAY_MS=0'];
    const { url, child } = await startAndFindUrl(
      'buildah',
      ['run', '--network', 'host', ...settings, container, '--', 'node', 'dist/main.js'],
      { cwd: process.cwd(), env: { ...SETTINGS, PATH: process.env['PATH'] ?? '', HOME: homedir() } },
    );
    const client = await connect(new URL(`${url.replace('0.0.0.0', '127.0.0.1')}/mcp`), newKey());
    expect((await client.call('search', `async () => find('pause')[0].operation`)).text).toContain('pause');
    expect((await client.call('execute_read', 'async () => 6 * 7')).text).toContain('42');
    await client.close();
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
});
