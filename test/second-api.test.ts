// Another API than E2B, with three operations and no data plane, is a value and a description: nothing in src/ changes
// for it.
import { resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Api } from '../src/api.ts';
import { parseConfig } from '../src/config.ts';
import { GatewayError } from '../src/errors.ts';
import { type Gateway, startGateway } from '../src/gateway.ts';
import { connect, type TestClient } from './support/clients.ts';
import { askFor, newPkce, openPage, register, serveFront } from './support/front.ts';
import { memoryLog } from './support/gateway.ts';
import { sendJson, startUpstream, type TestUpstream } from './support/upstream.ts';

const KEY = 'Card-0123456789ABCDEF';
const LIBRARY: Api = {
  title: 'Library',
  descriptionFile: resolve('test/support/second-api/library.yaml'),
  key: {
    parse(text) {
      if (!/^Card-[0-9A-F]{16}$/.test(text)) throw new GatewayError('key_malformed', 'That is not a library card.');
      return text;
    },
    mask: text => text.replace(/Card-[0-9A-F]+/g, 'Card-…'),
    example: 'Card-…',
    challenge: 'Bearer realm="library"',
  },
  dashboard: 'the reading room',
  signIn: {
    slug: 'books',
    sealedPrefix: 'booksmcp_',
    documentationUrl: 'https://books.example/docs',
    keysUrl: 'https://books.example/keys',
    keyForm: 'books_ and letters',
    allows: { read: 'Look at books', write: 'Change books' },
  },
  instructions: 'Books.',
  tools: {
    search: { title: 'Search the library', description: () => 'Finds operations.' },
    read: { title: 'Read', description: () => 'Reads.' },
    write: { title: 'Write', description: ({ wallMs }) => `Writes, for ${wallMs / 1_000} s.` },
  },
};

let upstream: TestUpstream;
let gateway: Gateway;
let client: TestClient;
beforeAll(async () => {
  upstream = await startUpstream();
  const config = parseConfig({ PORT: '0', WORKERS: '1', WARM_UP: 'false', E2B_API_URL: upstream.url });
  gateway = await startGateway(config, memoryLog().log, { api: LIBRARY });
  client = await connect(new URL(`${gateway.url}/mcp`), KEY);
});
beforeEach(() => {
  upstream.requests.length = 0;
  upstream.answer = (_request, response) => sendJson(response, [{ id: 'b1', title: 'Emma', token: 'x-secret' }]);
});
afterAll(async () => {
  await client.close();
  await gateway.close();
  await upstream.close();
});

const post = (body: string, more = '') =>
  `async () => (await api.request({ method: 'POST', path: '/books', body: ${body} ${more} })).status`;

it('lists its own tool texts', async () => {
  const tools = await client.listTools();
  expect(tools.map(({ title, description }) => [title, description])).toEqual([
    ['Search the library', 'Finds operations.'],
    ['Read', 'Reads.'],
    ['Write', 'Writes, for 60 s.'],
  ]);
});

it('search finds and describes its operations', async () => {
  const { text, isError } = await client.call(
    'search',
    "async () => [find('throw a novel away')[0].operation, describe('POST /books'), Object.keys(spec.paths)]",
  );
  expect(isError).toBe(false);
  expect(text).toContain('DELETE /books/{bookID}');
  expect(text).toContain('title');
  expect(text).not.toMatch(/sandbox/i);
});

it('execute_read calls it with the key as sent, and its secrets stay out of the answer', async () => {
  const { text, isError } = await client.call(
    'execute_read',
    "async () => (await api.request({ path: '/books', query: { author: 'Austen' } })).data",
  );
  expect(isError).toBe(false);
  expect(text).toContain('Emma');
  expect(text).not.toContain('x-secret');
  expect(upstream.requests).toMatchObject([{ method: 'GET', url: '/books?author=Austen' }]);
  expect(upstream.requests[0]?.headers['x-api-key']).toBe(KEY);
});

it('execute_write calls it, and the ledger names the calls', async () => {
  upstream.answer = (_request, response) => sendJson(response, { id: 'b2', title: 'Persuasion' }, 201);
  const { text } = await client.call('execute_write', post("{ title: 'Persuasion' }"));
  expect(text).toContain('201');
  expect(upstream.requests[0]).toMatchObject({ method: 'POST', url: '/books', body: '{"title":"Persuasion"}' });
});

describe('the guard holds', () => {
  it.each([
    ['a write in execute_read', 'execute_read', post("{ title: 'x' }"), /Use execute_write/],
    ['a path it does not have', 'execute_write', "async () => api.request({ path: '/shelves' })", /no operation GET/],
    ['a body that does not fit', 'execute_write', post('{ titel: 1 }'), /title/],
    ['credentials', 'execute_write', "async () => api.request({ path: '/books/../api-keys' })", /the reading room/],
    ['a sandbox it does not have', 'execute_write', "async () => Sandbox.create('base')", /no capability/],
  ])('against %s', async (_title, tool, code, message) => {
    const { text, isError } = await client.call(tool, code);
    expect(isError).toBe(true);
    expect(text).toMatch(message);
    expect(upstream.requests).toEqual([]);
  });
});

it('a key of another form is refused in its own words', async () => {
  const send = (headers: Record<string, string>) =>
    fetch(`${gateway.url}/mcp`, { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers } });
  const wrong = await send({ Authorization: `Bearer e2b_${'0'.repeat(40)}` });
  expect([wrong.status, wrong.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="library"']);
  expect(await wrong.text()).toContain('library card');
  expect(await (await send({})).text()).toContain('Library API key as \\"Authorization: Bearer Card-…\\"');
});

it('sign-in speaks of this API: scopes, realm, page', async () => {
  const front = await serveFront({ api: LIBRARY });
  const described = await fetch(`${front.url}/.well-known/oauth-protected-resource`);
  expect(await described.json()).toMatchObject({
    resource_name: 'Library code mode',
    scopes_supported: ['books:read', 'books:write'],
  });
  const { challenge } = newPkce();
  const page = await openPage(front.url, askFor((await register(front.url, {})).body.client_id ?? '', challenge));
  expect(page.html).toContain('Your Library API key');
  expect(page.html).toContain('Look at books');
  // But what is sealed: it is random, and may spell anything.
  expect(page.html.replace(/booksmcp_[\w.-]+/g, '')).not.toMatch(/e2b/i);
});
