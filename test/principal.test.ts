// Who is calling: one key is one caller however it is spelt, and a caller without the scope to write cannot.
import { randomBytes } from 'node:crypto';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseConfig } from '../src/config.ts';
import { createCore } from '../src/core.ts';
import { parseKey } from '../src/e2b/key.ts';
import { type Principal, principalFromKey } from '../src/principal.ts';
import { connect } from './support/clients.ts';
import { KEY_FORM, memoryLog, newKey, startTestGateway } from './support/gateway.ts';
import { sendJson, startUpstream } from './support/upstream.ts';

describe('an API key', () => {
  const key = `e2b_${randomBytes(18).toString('hex')}abcd`;

  it.each([
    ['upper-case digits', key.replace(/[a-f]/g, letter => letter.toUpperCase())],
    ['an upper-case prefix', `E2B_${key.slice(4)}`],
    ['all upper case', key.toUpperCase()],
  ])('in %s is the same caller, and goes upstream in one spelling', (_title, spelling) => {
    expect(principalFromKey(parseKey(spelling))).toEqual(principalFromKey(parseKey(key)));
    expect(parseKey(spelling)).toBe(key);
  });

  it('has both scopes, no end, and a fingerprint that does not contain it', () => {
    const principal = principalFromKey(key);
    expect(principal).toMatchObject({ scopes: ['read', 'write'], proof: 'key', expiresAtMs: undefined });
    expect(principal.id).toMatch(/^[0-9a-f]{32}$/);
    expect(key).not.toContain(principal.id);
  });

  it.each(['sk_e2b_0123456789abcdef', 'SK_E2B_0123456789ABCDEF'])('an access token %s is named as one', token => {
    expect(() => parseKey(token)).toThrow(/access token/);
  });
});

it('over HTTP, two spellings of a key count against one limit', async () => {
  const gateway = await startTestGateway({ env: { RATE_LIMIT_PER_KEY: '1' } });
  onTestFinished(() => gateway.close());
  const send = (key: string) =>
    fetch(gateway.mcpUrl, {
      method: 'POST',
      headers: { 'X-API-Key': key, 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }),
    });
  const key = newKey();
  expect((await send(key)).status).toBe(200);
  expect((await send(key.toUpperCase())).status).toBe(429);
});

it('a sandbox made under one spelling is listed under another', async () => {
  const gateway = await startTestGateway();
  onTestFinished(() => gateway.close());
  const key = newKey();
  const run = async (as: string, tool: string, code: string) => {
    const client = await connect(gateway.mcpUrl, as);
    const { text } = await client.call(tool, code);
    await client.close();
    return text;
  };
  await run(key, 'execute_write', "async () => Sandbox.create('base', { metadata: { mine: 'yes' } })");
  const listed = await run(key.toUpperCase(), 'execute_read', 'async () => Sandbox.list().nextItems()');
  expect(listed).toContain('"mine":"yes"');
});

/** A core whose one caller is `principal`, and what its upstream received. */
async function serveAs(principal: Principal) {
  const upstream = await startUpstream();
  upstream.answer = (_request, response) => sendJson(response, []);
  const { log, lines, entries } = memoryLog();
  const core = await createCore(parseConfig({ WORKERS: '1', WARM_UP: 'false', E2B_API_URL: upstream.url }), log);
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  const server = await core.serverFactory(() => principal)({ era: 'legacy' });
  await server.connect(theirs as Parameters<typeof server.connect>[0]);
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(ours);
  onTestFinished(async () => {
    await client.close();
    await core.close();
    await upstream.close();
  });
  const call = (name: string, code: string) => client.callTool({ name, arguments: { code } });
  return { call, upstream, lines, entries };
}

describe('a principal that may only read', () => {
  const reader: Principal = { ...principalFromKey(newKey()), scopes: ['read'], proof: 'token' };
  const code = "async () => { console.log('ran'); return (await api.request({ path: '/sandboxes' })).status }";

  it('is refused execute_write before the code runs; the error says what to use', async () => {
    const { call, upstream, lines, entries } = await serveAs(reader);
    const refused = await call('execute_write', code);
    expect(refused.isError).toBe(true);
    expect(JSON.stringify(refused.content)).toContain('execute_read');
    expect(JSON.stringify(refused.content)).not.toContain('ran');
    expect(upstream.requests).toEqual([]);
    expect(entries().find(({ msg }) => msg === 'run')).toMatchObject({ outcome: 'scope_missing', key: reader.id });
    expect(lines.join('\n')).not.toMatch(KEY_FORM);
  });

  it('may search and execute_read', async () => {
    const { call, upstream } = await serveAs(reader);
    expect((await call('search', 'async () => 1')).isError).toBeFalsy();
    const read = await call('execute_read', code);
    expect(read.isError).toBeFalsy();
    expect(JSON.stringify(read.content)).toContain('200');
    expect(upstream.requests).toHaveLength(1);
  });
});

it('a principal without read may not execute_read either', async () => {
  const { call, upstream } = await serveAs({ ...principalFromKey(newKey()), scopes: [] });
  expect((await call('execute_read', "async () => api.request({ path: '/sandboxes' })")).isError).toBe(true);
  expect(upstream.requests).toEqual([]);
});
