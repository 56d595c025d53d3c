// Sign-in with the whole gateway in local mode: scopes in both eras, a key that is revoked while it is used, what
// operators see, and the settings.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, parseConfig } from '../../../src/config.ts';
import { CLIENTS, connect } from '../../support/clients.ts';
import { newRing, refreshWith, signIn } from '../../support/front.ts';
import { KEY_FORM, newKey, startTestGateway, type TestGateway } from '../../support/gateway.ts';

let gateway: TestGateway;
/** Keys that E2B refuses from now on. */
const revoked = new Set<string>();
beforeAll(async () => {
  gateway = await startTestGateway({
    config: { OAUTH_KEYS: [newRing()], OAUTH_KEYS_PER_MINUTE: 0 },
    onRequest: ({ headers }) =>
      revoked.has(String(headers['x-api-key']))
        ? { status: 401, body: { code: 401, message: 'no such key' } }
        : undefined,
  });
});
afterAll(() => gateway.close());

const CREATE = `async () => { const made = await Sandbox.create(); await made.kill(); return 'made' }`;

const post = (token: string, body: object, headers: Record<string, string> = {}) =>
  fetch(gateway.mcpUrl, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${token}`,
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...body }),
  });

describe.each(Object.entries(CLIENTS))('%s with a token', (_name, open) => {
  it('may do what the key in it may do', async () => {
    const { tokens } = await signIn(gateway.url);
    const client = await open(gateway.mcpUrl, tokens.access_token ?? '');
    expect((await client.call('search', 'async () => spec.info.title')).text).toContain('E2B');
    expect((await client.call('execute_write', CREATE)).text).toContain('made');
    await client.close();
  });
});

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
};

describe.each([
  ['legacy', {}, {}],
  [
    'modern',
    { _meta: META },
    { 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': 'tools/call', 'Mcp-Name': 'execute_write' },
  ],
] as const)('a token with the scope read only, %s era', (_era, more, headers) => {
  it('gets 403 with the scope to ask for, and nothing runs', async () => {
    const { tokens } = await signIn(gateway.url, { form: { write: undefined } });
    const before = gateway.entries().filter(({ tool }) => tool !== undefined).length;
    const params = { name: 'execute_write', arguments: { code: CREATE }, ...more };
    const answer = await post(tokens.access_token ?? '', { method: 'tools/call', params }, headers);
    expect(answer.status).toBe(403);
    const challenge = answer.headers.get('www-authenticate') ?? '';
    expect(challenge).toContain('error="insufficient_scope"');
    expect(challenge).toContain('scope="e2b:read e2b:write"');
    expect(challenge).toContain(`resource_metadata="${gateway.url}/.well-known/oauth-protected-resource/mcp"`);
    expect(gateway.entries().filter(({ tool }) => tool !== undefined)).toHaveLength(before);
  });
});

it('all tokens and keys get the same list of tools', async () => {
  const lists = [];
  const read = (await signIn(gateway.url, { form: { write: undefined } })).tokens.access_token ?? '';
  for (const credential of [read, (await signIn(gateway.url)).tokens.access_token ?? '', newKey()]) {
    const client = await connect(gateway.mcpUrl, credential);
    lists.push(JSON.stringify(await client.listTools()));
    await client.close();
  }
  expect(new Set(lists).size).toBe(1);
});

it('a key is revoked at E2B: then the token gets 401, refreshing fails, and a new sign-in works', async () => {
  const key = newKey();
  const { clientId, tokens } = await signIn(gateway.url, { form: { key } });
  const READ = `async () => (await api.request({ method: 'GET', path: '/v2/sandboxes' })).status`;
  const call = async () => {
    const params = { name: 'execute_read', arguments: { code: READ } };
    const answer = await post(tokens.access_token ?? '', { method: 'tools/call', params });
    return { status: answer.status, text: await answer.text() };
  };
  expect((await call()).text).toContain('200');
  revoked.add(key);
  expect((await call()).text).toContain('401');
  // Tokens have their time in whole seconds, so one that was issued in the second of the refusal is accepted a little longer.
  await expect.poll(async () => (await call()).status, { timeout: 10_000, interval: 200 }).toBe(401);
  expect((await refreshWith(gateway.url, clientId, tokens.refresh_token ?? '')).body.error).toBe('invalid_grant');
  expect((await signIn(gateway.url, { form: { key } })).answered.status).toBe(400);
  revoked.delete(key);
  expect((await signIn(gateway.url, { form: { key } })).status).toBe(200);
});

it('each step has one log line and one count, without a key, a token, a state or a query', async () => {
  const from = gateway.lines.length;
  await signIn(gateway.url, { ask: { state: 'the-very-secret-state' } });
  const lines = gateway.lines.slice(from);
  const steps = lines.map(line => JSON.parse(line)).filter(({ msg }) => msg === 'sign-in');
  expect(steps.map(({ step, outcome }) => `${step} ${outcome}`)).toEqual([
    'register ok',
    'page ok',
    'decision ok',
    'token ok',
  ]);
  expect(steps[2]).toMatchObject({
    client: 'registered',
    callbackHost: '127.0.0.1:43210',
    scopesGranted: ['e2b:read', 'e2b:write'],
  });
  expect(steps[2].grant).toBe(steps[3].grant);
  expect(lines.join('')).not.toMatch(/the-very-secret-state|code_challenge|Test client/);
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
  expect(metrics).toMatch(/codemode_oauth_events_total\{step="token",outcome="ok",client="registered"\} [1-9]/);
  expect(metrics).toMatch(/route="\/token"/);
  expect(metrics).not.toMatch(KEY_FORM);
});

it('/debug/endpoints lists the routes of sign-in', async () => {
  const { endpoints } = (await (await fetch(`${gateway.url}/debug/endpoints`)).json()) as {
    endpoints: { path: string; method: string }[];
  };
  const routes = endpoints.map(({ method, path }) => `${method} ${path}`);
  for (const route of [
    'GET /authorize',
    'POST /authorize',
    'POST /token',
    'POST /register',
    'POST /revoke',
    'GET /.well-known/oauth-protected-resource/mcp',
  ])
    expect(routes).toContain(route);
});

it('without OAUTH_KEYS there are no routes of sign-in and no metadata in the challenge', async () => {
  const plain = await startTestGateway();
  for (const path of ['/authorize', '/token', '/register', '/.well-known/oauth-protected-resource'])
    expect((await fetch(plain.url + path)).status).toBe(404);
  const { headers } = await fetch(plain.mcpUrl, { method: 'POST' });
  expect(headers.get('www-authenticate')).not.toContain('resource_metadata');
  await plain.close();
});

describe('settings', () => {
  const secret = 'A'.repeat(43);
  const on = { OAUTH_KEYS: `k:${secret}`, PUBLIC_URL: 'https://gateway.example' };
  it.each<[string, Record<string, string>, RegExp]>([
    ['keys without an address', { OAUTH_KEYS: on.OAUTH_KEYS }, /OAUTH_KEYS needs PUBLIC_URL/],
    ['an address with http', { ...on, PUBLIC_URL: 'http://gateway.example' }, /must be https/],
    ['an address with a path', { ...on, PUBLIC_URL: 'https://gateway.example/e2b' }, /no path/],
    ['an address with a query', { ...on, PUBLIC_URL: 'https://gateway.example/?a=b' }, /no path/],
    ['tokens only, without keys', { OAUTH_RAW_KEYS: 'false' }, /nobody could call/],
    ['callbacks without keys', { OAUTH_REDIRECTS: 'https://a.example/' }, /needs OAUTH_KEYS/],
    ['an end without keys', { OAUTH_NOT_BEFORE: '1' }, /needs OAUTH_KEYS/],
    ['a secret that is too short', { ...on, OAUTH_KEYS: 'k:short' }, /entry 1 must be <kid>:<secret>/],
    ['a secret without a name', { ...on, OAUTH_KEYS: secret }, /entry 1 must be/],
    ['two of one name', { ...on, OAUTH_KEYS: `k:${secret},k:${'B'.repeat(43)}` }, /entry 2 must be/],
    ['no keys between commas', { ...on, OAUTH_KEYS: ',' }, /OAUTH_KEYS/],
    ['a callback that is no URL', { ...on, OAUTH_REDIRECTS: 'app.example' }, /OAUTH_REDIRECTS/],
    ['an invalid time', { ...on, OAUTH_NOT_BEFORE: 'yesterday' }, /OAUTH_NOT_BEFORE/],
  ])('%s: the start fails with a clear error that does not contain the secret', (_title, environment, sentence) => {
    const start = () => parseConfig(environment);
    expect(start).toThrow(ConfigError);
    expect(start).toThrow(sentence);
    try {
      start();
    } catch (caught) {
      expect(String(caught)).not.toContain(secret);
      expect(String(caught)).not.toContain('short');
    }
  });
  it('a valid key ring decrypts with all its keys, in base64 or base64url', () => {
    const { OAUTH_KEYS } = parseConfig({ ...on, OAUTH_KEYS: `new:${'_-'.repeat(22)}, old:${'+/'.repeat(20)}AAA=` });
    expect(OAUTH_KEYS?.map(({ kid, secret: { length } }) => [kid, length])).toEqual([
      ['new', 33],
      ['old', 32],
    ]);
    expect(parseConfig({ ...on, OAUTH_NOT_BEFORE: '2026-11-25T12:00:00Z' }).OAUTH_NOT_BEFORE).toBe(
      Date.UTC(2026, 10, 25, 12),
    );
    expect(parseConfig({ ...on, PUBLIC_URL: 'http://localhost:3000/' }).PUBLIC_URL).toBe('http://localhost:3000');
  });
});
