// Requests as real clients send them: Accept headers, unusual messages, revisions, placeholders of keys.
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newKey, startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.close());

const BOTH = 'application/json, text/event-stream';
const list = { jsonrpc: '2.0', id: 7, method: 'tools/list' };
const initialize = (protocolVersion: string) => ({
  ...{ jsonrpc: '2.0', id: 7, method: 'initialize' },
  params: { protocolVersion, capabilities: {}, clientInfo: { name: 'test', version: '1' } },
});
const run = (more: object = {}) => ({
  ...{ jsonrpc: '2.0', id: 7, method: 'tools/call' },
  params: { name: 'execute_read', arguments: { code: 'async () => 6 * 7' }, ...more },
});

function post(body: unknown, headers: Record<string, string> = {}) {
  const sent = request(gateway.url)
    .post('/mcp')
    .set({ 'Content-Type': 'application/json', Accept: BOTH, ...headers });
  if (headers['Authorization'] === undefined) sent.set('Authorization', `Bearer ${newKey()}`);
  if (headers['Accept'] === '') sent.unset('Accept');
  return sent.send(typeof body === 'string' ? body : JSON.stringify(body));
}

describe('Accept', () => {
  it.each([
    'application/json',
    '*/*',
    '',
    'application/*',
    'application/json, application/mcp+json',
    'application/mcp+json',
    'text/html, application/json;q=0.9',
    'APPLICATION/JSON',
    'application/json; charset=utf-8, text/event-stream',
  ])('%j gets JSON', async accept => {
    const answer = await post(list, { Accept: accept });
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(answer.body.result.tools).toHaveLength(3);
  });

  it.each(['text/event-stream', 'text/event-stream;q=0.5'])('%j gets an event stream', async accept => {
    const answer = await post(list, { Accept: accept });
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toMatch(/^text\/event-stream/);
    expect(answer.text).toContain('"execute_write"');
  });

  it('a client that accepts only JSON gets JSON even if it asks for progress', async () => {
    const answer = await post(run({ _meta: { progressToken: 1 } }), { Accept: 'application/json' });
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(JSON.stringify(answer.body.result)).toContain('42');
  });

  it.each(['text/html', 'image/png', 'application/json;q=0'])('%j is refused with 406 and the id', async accept => {
    const answer = await post({ ...list, id: 42 }, { Accept: accept });
    expect(answer.status).toBe(406);
    expect(answer.body).toMatchObject({ id: 42, error: { data: { code: 'not_acceptable' } } });
  });

  it.each(['', 'application/json', BOTH])('a notification with Accept %j gets 202', async accept => {
    const answer = await post({ jsonrpc: '2.0', method: 'notifications/initialized' }, { Accept: accept });
    expect(answer.status).toBe(202);
  });
});

describe('messages', () => {
  it.each([
    ['params: []', { ...list, params: [] }],
    ['params: null', { ...list, params: null }],
    ['cursor: null', { ...list, params: { cursor: null } }],
    ['_meta: null', { ...list, params: { _meta: null } }],
    ['_meta: []', { ...list, params: { _meta: [] } }],
  ])('%s counts as absent', async (_title, body) => {
    const answer = await post(body);
    expect(answer.body.result.tools).toHaveLength(3);
  });

  it('progressToken: null counts as absent', async () => {
    const answer = await post(run({ _meta: { progressToken: null } }));
    expect(JSON.stringify(answer.body.result)).toContain('42');
  });

  it.each([
    ['params as text', { ...list, params: 'all' }],
    ['params as a list', { ...list, params: ['all'] }],
    ['_meta as text', { ...list, params: { _meta: 'x' } }],
    ['a cursor that is a number', { ...list, params: { cursor: 3 } }],
    ['a progress token that is an object', run({ _meta: { progressToken: {} } })],
    ['arguments as text', run({ arguments: 'async () => 1' })],
  ])('%s is refused with -32602 and the id', async (_title, body) => {
    const answer = await post(body);
    expect(answer.body).toMatchObject({ id: 7, error: { code: -32602 } });
  });

  it.each([
    ['prompts/list', 'prompts'],
    ['resources/list', 'resources'],
    ['resources/templates/list', 'resourceTemplates'],
  ])('%s returns an empty list', async (method, field) => {
    const answer = await post({ jsonrpc: '2.0', id: 7, method });
    expect(answer.body).toMatchObject({ id: 7, result: { [field]: [] } });
  });

  it('prompts/get is refused with the id', async () => {
    const answer = await post({ jsonrpc: '2.0', id: 7, method: 'prompts/get', params: { name: 'x' } });
    expect(answer.body).toMatchObject({ id: 7, error: { code: -32602 } });
  });

  it('an unknown method is -32601', async () => {
    const answer = await post({ jsonrpc: '2.0', id: 7, method: 'prompts/print' });
    expect(answer.body).toMatchObject({ id: 7, error: { code: -32601 } });
  });

  it.each(['application/json; charset=utf-16', 'application/json; charset=latin1', 'text/plain'])(
    'Content-Type %s is refused with 415 and names UTF-8',
    async type => {
      const answer = await post(list, { 'Content-Type': type });
      expect(answer.status).toBe(415);
      expect(answer.body.error.message).toContain('UTF-8');
    },
  );

  it('a valid body with a wrong Content-Type is refused with the id', async () => {
    const answer = await post(list, { 'Content-Type': 'text/plain' });
    expect(answer.body).toMatchObject({ id: 7, error: { data: { code: 'media_type_unsupported' } } });
  });

  it('a call without the argument code: the error names the argument that was sent', async () => {
    const answer = await post(run({ arguments: { javascript: 'async () => 1' } }));
    expect(JSON.stringify(answer.body.result)).toMatch(/javascript.*`code`|`code`.*javascript/);
  });
});

describe('revisions', () => {
  it('initialize with an unknown revision negotiates a supported one', async () => {
    const answer = await post(initialize('2099-01-01'), { 'MCP-Protocol-Version': '2099-01-01' });
    expect(answer.status).toBe(200);
    expect(answer.body.result.protocolVersion).toMatch(/^2025-/);
  });

  it('an unknown revision in the header of another request is refused with the id', async () => {
    const answer = await post(list, { 'MCP-Protocol-Version': '1999-01-01' });
    expect(answer.status).toBe(400);
    expect(answer.body.id).toBe(7);
  });

  it('a batch works under 2025-03-26', async () => {
    const answer = await post([list, { ...run(), id: 8 }, { jsonrpc: '2.0', method: 'notifications/initialized' }], {
      'MCP-Protocol-Version': '2025-03-26',
    });
    expect(answer.status).toBe(200);
    expect(answer.body.map(({ id }: { id: number }) => id).sort()).toEqual([7, 8]);
  });

  it('a batch with one request gets a list with one response', async () => {
    expect((await post([list])).body).toMatchObject([{ id: 7, result: { tools: expect.any(Array) } }]);
    const note = { jsonrpc: '2.0', method: 'notifications/initialized' };
    expect((await post([note, { ...run(), id: 8 }])).body).toMatchObject([{ id: 8, result: {} }]);
  });

  it('a batch is refused under later revisions, and if it is too long', async () => {
    const later = await post([list], { 'MCP-Protocol-Version': '2025-06-18' });
    expect(later.body.error.data.code).toBe('batch_refused');
    const long = await post(Array.from({ length: 9 }, (_, id) => ({ ...list, id })));
    expect(long.body.error).toMatchObject({
      message: expect.stringContaining('1 to 8'),
      data: { code: 'batch_refused' },
    });
  });
});

describe('keys', () => {
  it.each([
    '${E2B_API_KEY}',
    '$E2B_API_KEY',
    '%E2B_API_KEY%',
    '{{api_key}}',
    '<your-key>',
    'YOUR_API_KEY',
    'e2b_...',
    '${env:E2B_API_KEY}',
    '${input:e2b-key}',
  ])('the error says that %s is a placeholder', async placeholder => {
    const answer = await post(list, { Authorization: `Bearer ${placeholder}` });
    expect(answer.status).toBe(401);
    expect(answer.body.error.message).toMatch(/variable was not filled in/);
  });

  it('the error for a malformed key does not call it a placeholder', async () => {
    const answer = await post(list, { Authorization: 'Bearer hunter2' });
    expect(answer.body.error.message).toMatch(/not an E2B API key/);
  });
});

describe('large blocks', () => {
  const CODE = `async () => { display(new Uint8Array(60_000).fill(7)); display('between'); display({ mimeType: 'image/png', data: 'iVBORw0KGgo=' }); display(new Uint8Array(90_001).fill(8)); return 1 }`;
  const call = (id: number, more: object = {}) => ({ ...run({ arguments: { code: CODE }, ...more }), id });

  type Content = { readonly type: string; readonly data?: string; readonly resource?: { readonly blob: string } };
  const expectBlocks = (content: readonly Content[]) => {
    const sizes = content.flatMap(({ data, resource }) => {
      const base64 = data ?? resource?.blob;
      return base64 === undefined ? [] : [[...new Set(Buffer.from(base64, 'base64'))].slice(0, 1), base64.length];
    });
    expect(sizes).toEqual([[7], 80_000, [0x89], 12, [8], 120_004]);
  };

  it('arrive complete in a JSON response with the right Content-Length', async () => {
    const answer = await post(call(7), { Accept: 'application/json' });
    expect(Number(answer.headers['content-length'])).toBe(Buffer.byteLength(answer.text));
    expectBlocks(answer.body.result.content);
  });

  it('arrive complete in an event stream', async () => {
    const answer = await post(call(7, { _meta: { progressToken: 'p' } }), { Accept: 'text/event-stream' });
    const messages = answer.text.split('\n').filter(line => line.startsWith('data: {'));
    const last = JSON.parse((messages.at(-1) ?? '').slice('data: '.length));
    expectBlocks(last.result.content);
  });

  it('arrive in the response to their own call when a batch has several calls', async () => {
    const answer = await post([call(1), run(), call(3)], { 'MCP-Protocol-Version': '2025-03-26' });
    expect(Number(answer.headers['content-length'])).toBe(Buffer.byteLength(answer.text));
    const results = (answer.body as { id: number; result: { content: Content[] } }[]).sort((a, b) => a.id - b.id);
    expect(results.map(({ id }) => id)).toEqual([1, 7, 3].sort((a, b) => a - b));
    for (const { id, result } of results) if (id !== 7) expectBlocks(result.content);
  });
});
