// The packed tarball, installed elsewhere with npm, as `npx e2b-code-mode` would: the bin, --help, --local, --stdio.
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect } from '../support/clients.ts';
import { newKey } from '../support/gateway.ts';
import { run, startAndFindUrl } from './support.ts';

let folder: string;
let bin: string;
const env = { PATH: process.env['PATH'] ?? '', HOME: tmpdir(), PORT: '0', LOG_FORMAT: 'json' };

beforeAll(() => {
  // As in a clone in which only a bench was built.
  rmSync('dist', { recursive: true, force: true });
  mkdirSync('dist/bench', { recursive: true });
  writeFileSync('dist/bench/main.js', '');
  folder = mkdtempSync(join(tmpdir(), 'packed-'));
  run('npm', ['pack', '--pack-destination', folder], process.cwd());
  const tarball = readdirSync(folder).find(file => file.endsWith('.tgz')) ?? '';
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error', `./${tarball}`], folder);
  bin = join(folder, 'node_modules', '.bin', 'e2b-code-mode');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('contains the program, the API description and the licence, but no sources, tests or tools', () => {
  const root = join(folder, 'node_modules', 'e2b-code-mode');
  const shipped = readdirSync(root);
  expect(shipped).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'dist', 'openapi', 'package.json']));
  expect(shipped).not.toContain('src');
  expect(shipped).not.toContain('test');
  expect(existsSync(join(root, 'dist/main.js'))).toBe(true);
  for (const tool of ['bench', 'openapi', 'demo.js']) expect(readdirSync(join(root, 'dist'))).not.toContain(tool);
  expect(readdirSync(join(root, 'openapi')).sort()).toEqual(['e2b.capabilities.yaml', 'e2b.yaml']);
});

it('brings no package that runs a script when it is installed', () => {
  const lock = JSON.parse(readFileSync(join(folder, 'node_modules', '.package-lock.json'), 'utf8')) as {
    packages: Record<string, { hasInstallScript?: boolean }>;
  };
  const installed = Object.entries(lock.packages);
  expect(installed.map(([path]) => path)).toContain('node_modules/e2b-code-mode');
  expect(installed.filter(([, { hasInstallScript }]) => hasInstallScript === true)).toEqual([]);
});

it('--help prints the usage', () => expect(run(bin, ['--help'], folder)).toContain('--stdio'));

it('--local serves over HTTP', async () => {
  const { url, child } = await startAndFindUrl(bin, ['--local'], { cwd: folder, env });
  const client = await connect(new URL(`${url}/mcp`), newKey());
  const code = `async () => (await api.request({ method: 'POST', path: '/sandboxes', body: { templateID: 'base' } })).status`;
  expect((await client.call('execute_write', code)).text).toContain('201');
  expect((await client.call('search', `async () => find('pause')[0].operation`)).text).toContain('pause');
  const programs = await client.call(
    'execute_write',
    `async () => {
      const sbx = await Sandbox.create();
      const python = await sbx.runCode('6 * 7');
      const javascript = await sbx.runCode('6 * 7', { language: 'javascript' });
      return [python.text, javascript.text];
    }`,
  );
  expect(programs.text).toContain('["42","42"]');
  await client.close();
  child.kill('SIGINT');
  expect(await once(child, 'exit')).toEqual([0, null]);
});

it('--stdio --local serves the client that starts it', async () => {
  const client = new Client({ name: 'test', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(
    new StdioClientTransport({ command: bin, args: ['--stdio', '--local'], stderr: 'ignore', cwd: folder }),
  );
  expect((await client.listTools()).tools).toHaveLength(3);
  await client.close();
});
