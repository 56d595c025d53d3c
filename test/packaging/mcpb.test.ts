// The bundle for Claude Desktop: packed by `pnpm mcpb`, unpacked elsewhere by the official tool, and started as its
// manifest tells a client to.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newKey } from '../support/gateway.ts';
import { run } from './support.ts';

type Manifest = {
  readonly icon: string;
  readonly version: string;
  readonly server: {
    readonly entry_point: string;
    readonly mcp_config: {
      readonly command: string;
      readonly args: readonly string[];
      readonly env: Readonly<Record<string, string>>;
    };
  };
  readonly tools: readonly { readonly name: string }[];
  readonly user_config: Readonly<Record<string, { readonly sensitive: boolean; readonly required: boolean }>>;
};

let folder: string;
let manifest: Manifest;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcpb-'));
  run('npm', ['run', '--silent', 'mcpb'], process.cwd());
  const packer = /@anthropic-ai\/mcpb@[\d.]+/.exec(readFileSync('deploy/mcpb.mjs', 'utf8'))?.[0] ?? '';
  run('npx', ['-y', 'pnpm@10', 'dlx', packer, 'unpack', 'dist/e2b-code-mode.mcpb', folder], process.cwd());
  manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('asks for the key as a secret, and names the version of the package', () => {
  expect(Object.values(manifest.user_config)).toEqual([expect.objectContaining({ sensitive: true, required: true })]);
  expect(manifest.version).toBe(JSON.parse(readFileSync('package.json', 'utf8')).version);
  for (const file of [manifest.icon, manifest.server.entry_point, 'LICENSE', 'dist/THIRD_PARTY.txt'])
    expect(existsSync(join(folder, file)), file).toBe(true);
});

it('started as the manifest says, it serves the tools that the manifest lists', async () => {
  const { command, args, env } = manifest.server.mcp_config;
  const filled = (text: string) =>
    text.replace(/\$\{__dirname\}/g, folder).replace(/\$\{user_config\.api_key\}/g, newKey());
  const transport = new StdioClientTransport({
    command,
    args: args.map(filled),
    env: {
      PATH: process.env['PATH'] ?? '',
      ...Object.fromEntries(Object.entries(env).map(([name, value]) => [name, filled(value)])),
    },
    cwd: tmpdir(),
    stderr: 'ignore',
  });
  const client = new Client({ name: 'test', version: '1.0.0' });
  await client.connect(transport);
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toEqual(manifest.tools.map(({ name }) => name));
  const call = async (code: string) => {
    const result = await client.callTool({ name: 'search', arguments: { code } });
    return JSON.stringify(result.content);
  };
  expect(await call(`async () => find('pause a sandbox')[0].operation`)).toMatch(/pause/);
  // Types are removed by a package that is in the bundle as well.
  expect(await call('async (): Promise<number> => { const n: number = 42; return n }')).toContain('42');
  await client.close();
});
