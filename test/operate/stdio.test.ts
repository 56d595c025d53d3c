// --stdio from the side of the client that starts the process: SDK v1 and v2, nothing but the protocol on stdout, and an
// end when the client disconnects.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { describe, expect, it } from 'vitest';

const info = { name: 'test', version: '1.0.0' };
const base = { PATH: process.env.PATH ?? '', WARM_UP: 'false' };
const server = {
  command: process.execPath,
  args: ['dist/main.js', '--stdio', '--local'],
  env: base,
  stderr: 'ignore' as const,
};
const code = `async () => (await api.request({ method: 'POST', path: '/sandboxes', body: { templateID: 'base' } })).status`;
const call = { name: 'execute_write', arguments: { code } };

const asking = { ...server, env: { ...base, APPROVALS: 'ends' } };
const ending = {
  name: 'execute_write',
  arguments: { code: 'async () => { const s = await Sandbox.create(); return ["killed", await s.kill()] }' },
};
const yes = () => ({ action: 'accept' as const, content: { decision: 'approve' } });

// Each case starts a process, which is slow on a busy machine.
describe.concurrent('serves over stdio', { timeout: 60_000 }, () => {
  it('sdk v1 without elicitation: a call that needs approval is refused', async ({ expect }) => {
    const client = new ClientV1(info);
    await client.connect(new TransportV1(asking));
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual([
      'search',
      'execute_read',
      'execute_write',
    ]);
    expect(JSON.stringify(await client.callTool(call))).toContain('201');
    expect(JSON.stringify(await client.callTool(ending))).toContain('approval_unavailable');
    await client.close();
  });

  it('sdk v1 asks for approval by the elicitation of its revision', async ({ expect }) => {
    const client = new ClientV1(info, { capabilities: { elicitation: {} } });
    const asked: string[] = [];
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
      asked.push(params.message);
      return yes();
    });
    await client.connect(new TransportV1(asking));
    expect(JSON.stringify(await client.callTool(ending))).toMatch(/killed.*true/);
    expect(asked).toEqual([expect.stringMatching(/end or delete 1 sandbox/)]);
    await client.close();
  });

  it('sdk v2 asks for approval', async ({ expect }) => {
    const client = new Client(info, {
      versionNegotiation: { mode: 'auto' },
      capabilities: { elicitation: { form: {} } },
    });
    client.setRequestHandler('elicitation/create', yes);
    await client.connect(new StdioClientTransport(asking));
    expect((await client.listTools()).tools).toHaveLength(3);
    expect(JSON.stringify(await client.callTool(call))).toContain('201');
    expect(JSON.stringify(await client.callTool(ending))).toMatch(/killed.*true/);
    await client.close();
  });
});

async function run(args: string[], env: Record<string, string>, stdin?: string) {
  const child = spawn(process.execPath, ['dist/main.js', ...args], { env: { ...base, ...env } });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', chunk => (stdout += chunk));
  child.stderr.on('data', chunk => (stderr += chunk));
  if (stdin !== undefined) child.stdin.end(stdin);
  const [exitCode] = await once(child, 'close');
  return { exitCode, stdout, stderr };
}

it('shuts down cleanly when a signal and the end of stdin arrive together, as clients send both', async () => {
  const child = spawn(process.execPath, server.args, { env: { ...base, LOG_FORMAT: 'json' } });
  let stderr = '';
  child.stderr.on('data', chunk => (stderr += chunk));
  child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })}\n`);
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  child.stdin.end();
  const [exitCode] = await once(child, 'close');
  expect(exitCode).toBe(0);
  expect(stderr).toContain('"msg":"closed"');
});

it('ends when stdin ends, and writes nothing but responses to stdout', async () => {
  const { exitCode, stdout, stderr } = await run(['--stdio', '--local'], { LOG_LEVEL: 'trace' }, '');
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
  expect(stderr).toContain('serving on stdio');
});

it.concurrent.for<[string, Record<string, string>, RegExp]>([
  ['no key', {}, /E2B_API_KEY/],
  ['a key of another kind', { E2B_API_KEY: 'sk_e2b_0123456789' }, /access token/],
  ['not a key', { E2B_API_KEY: 'hunter2' }, /E2B_API_KEY: That is not an E2B API key/],
])('fails with %s and names the variable', async ([_title, env, said], { expect }) => {
  const { exitCode, stderr } = await run(['--stdio'], env);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(said);
  expect(stderr).not.toContain('hunter2');
});
