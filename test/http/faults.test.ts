import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newKey, startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({ env: { MAX_HTTP_BODY_BYTES: '20000' } });
});
afterAll(() => gateway.close());

const key = newKey();
const ping = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} };
const post = (headers: Record<string, string> = {}) =>
  request(gateway.url)
    .post('/mcp')
    .set({
      Authorization: `Bearer ${key}`,
      Accept: 'application/json, text/event-stream',
      'Content-Type': 'application/json',
      ...headers,
    });

describe('401', () => {
  it.each([
    ['no key', {}, 'key_missing'],
    ['another scheme', { Authorization: 'Basic dXNlcjpwYXNz' }, 'key_missing'],
    ['a token of another kind', { Authorization: 'Bearer sk_e2b_0123456789abcdef' }, 'key_malformed'],
    ['not hexadecimal', { Authorization: `Bearer e2b_${'z'.repeat(40)}` }, 'key_malformed'],
    ['two words', { Authorization: 'Bearer a b' }, 'key_malformed'],
    ['an empty header', { Authorization: '' }, 'key_missing'],
  ])('%s', async (_title, headers, code) => {
    const answer = await request(gateway.url).post('/mcp').set(headers).send(ping);
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer realm=/);
    expect(answer.headers['www-authenticate']).not.toContain('resource_metadata');
    expect(answer.body.error.data).toMatchObject({ code });
    expect(answer.body.error.message).toMatch(/E2B|Bearer/);
  });

  it('X-API-Key is accepted as well', async () => {
    const answer = await request(gateway.url)
      .post('/mcp')
      .set({ 'X-API-Key': key, Accept: 'application/json, text/event-stream' })
      .send(ping);
    expect(answer.status).toBe(200);
  });
});

it('a progress token that is too long is ignored, because it would be sent with every message', async () => {
  const call = { name: 'search', arguments: { code: 'async () => 1' }, _meta: { progressToken: 'T'.repeat(1_000) } };
  const answer = await post().send({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: call });
  expect(answer.headers['content-type']).toMatch(/json/);
  expect(answer.text).not.toContain('TTT');
});

describe('400, 413, 415, 406', () => {
  it.each([
    ['bad JSON', '{"jsonrpc":', 400, 'body_invalid'],
    ['a bare string', '"hello"', 400, 'message_invalid'],
    ['null', 'null', 400, 'message_invalid'],
    ['nothing', '', 400, 'body_invalid'],
    ['an empty batch', '[]', 400, 'message_invalid'],
    ['too much', JSON.stringify({ ...ping, params: { padding: 'x'.repeat(30_000) } }), 413, 'body_too_large'],
  ])('%s', async (_title, body, status, code) => {
    const answer = await post().send(body);
    expect(answer.status).toBe(status);
    expect(answer.body.error.data.code).toBe(code);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp'])('415 for %s', async type => {
    const answer = await post({ 'Content-Type': type }).send(JSON.stringify(ping));
    expect(answer.status).toBe(415);
    expect(answer.body.error.data.code).toBe('media_type_unsupported');
  });

  it('406 when a client of the legacy era does not accept JSON', async () => {
    const answer = await post({ Accept: 'text/html' }).send(ping);
    expect(answer.status).toBe(406);
    expect(answer.body.error.message).toMatch(/application\/json/);
    expect(answer.body.error.data).toEqual({ code: 'not_acceptable', requestId: answer.headers['x-request-id'] });
  });

  it('a body that is valid JSON but not JSON-RPC gets a JSON-RPC error', async () => {
    const answer = await post().send({ hello: 'world' });
    expect(answer.status).toBe(400);
    expect(answer.body.error.code).toBeTypeOf('number');
  });
});

it('the message of a 413 has the limit and what to do', async () => {
  const { body } = await post().send(JSON.stringify({ ...ping, params: { padding: 'x'.repeat(30_000) } }));
  expect(body.error.message).toMatch(/files\.write.*The limit is 20000 bytes\./);
});

it('the error for a key that is too short has the right length', async () => {
  const { body } = await post({ Authorization: 'Bearer e2b_1234567890' }).send(ping);
  expect(body.error.message).toContain('40 hexadecimal digits');
});

describe('a body is refused by its size', () => {
  const bomb = (text: string) => gzipSync(text);
  const call = (params: object) => JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
  const many = (count: number, one: (i: number) => string) => Array.from({ length: count }, (_, i) => one(i)).join(',');

  it.each([
    ['6000 values', `{"a":[${many(6000, () => '1')}]}`, 'too_complex'],
    ['6000 empty objects', `[${many(6000, () => '{}')}]`, 'too_complex'],
    [
      '2100 keys in _meta',
      call({
        _meta: JSON.parse(`{${many(1500, i => `"k${i}":1`)}}`),
        a: JSON.parse(`{${many(600, i => `"k${i}":1`)}}`),
      }),
      'too_complex',
    ],
    ['500 levels', `${'['.repeat(500)}${']'.repeat(500)}`, 'too_complex'],
    ['a key of 2000 bytes', `{"${'k'.repeat(2000)}":1}`, 'too_complex'],
  ])('413 for %s', async (_title, body, code) => {
    const answer = await post().send(body);
    expect(answer.status).toBe(413);
    expect(answer.body.error.data).toEqual({ code, requestId: answer.headers['x-request-id'] });
    expect(answer.body.error.message).toMatch(/more than \d+|deeper than \d+|longer than \d+/);
  });

  it.each(['gzip', 'deflate', 'br'])(
    'accepts a body compressed with %s, and refuses one that is too large uncompressed',
    async encoding => {
      const pack = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync }[encoding] ?? gzipSync;
      const send = (body: Buffer) =>
        fetch(`${gateway.url}/mcp`, {
          method: 'POST',
          headers: {
            Authorization: `Bearer ${key}`,
            Accept: 'application/json, text/event-stream',
            'Content-Type': 'application/json',
            'Content-Encoding': encoding,
          },
          body,
        });
      expect((await send(pack(JSON.stringify(ping)))).status).toBe(200);
      expect((await send(pack(JSON.stringify({ ...ping, params: { padding: 'x'.repeat(10_000_000) } })))).status).toBe(
        413,
      );
      expect((await send(Buffer.from('no archive at all'))).status).toBe(400);
    },
  );

  it('other encodings and character sets are refused', async () => {
    expect((await post({ 'Content-Encoding': 'zstd' }).send(bomb('{}'))).status).toBe(415);
    expect((await post({ 'Content-Type': 'application/json; charset=utf-16' }).send(JSON.stringify(ping))).status).toBe(
      415,
    );
  });
});

describe('403', () => {
  it.each([
    ['Host', { Host: 'evil.example' }, 'host_refused'],
    ['Origin', { Origin: 'https://evil.example' }, 'origin_refused'],
    ['Origin null', { Origin: 'null' }, 'origin_refused'],
  ])('%s', async (_title, headers, code) => {
    const answer = await post(headers as Record<string, string>).send(ping);
    expect(answer.status).toBe(403);
    expect(answer.body.error.data.code).toBe(code);
  });

  it('a loopback origin may call and read, preflight included', async () => {
    const origin = 'http://localhost:6274';
    const preflight = await request(gateway.url).options('/mcp').set({
      Origin: origin,
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'authorization',
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers['access-control-allow-headers']).toBe('authorization');
    const answer = await post({ Origin: origin }).send(ping);
    expect(answer.status).toBe(200);
    expect(answer.headers['access-control-allow-origin']).toBe(origin);
  });
});

describe('404 and 405', () => {
  it.each([
    '/nope',
    '/mcp/x',
    '/.well-known/oauth-protected-resource',
    '/.well-known/oauth-authorization-server',
    '/%E0%A4%A',
  ])('404 for %s', async path => {
    const answer = await request(gateway.url).get(path);
    expect(answer.status).toBe(404);
    expect(answer.body.error.code).toBe('not_found');
  });

  it.each(['get', 'delete', 'put', 'patch'] as const)('405 with Allow for %s /mcp', async method => {
    const answer = await request(gateway.url)
      [method]('/mcp')
      .set({ Authorization: `Bearer ${key}` });
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe('POST');
    expect(answer.body.error.data.code).toBe('method_not_allowed');
  });

  it('405 for POST /healthz', async () => {
    expect((await request(gateway.url).post('/healthz')).status).toBe(405);
  });
});

describe('routes without a key', () => {
  it('/healthz and /readyz need no key and no known host', async () => {
    expect((await request(gateway.url).get('/healthz').set('Host', '10.0.0.7')).body).toEqual({ status: 'ok' });
    expect((await request(gateway.url).get('/readyz').set('Host', '10.0.0.7')).body).toEqual({ status: 'ready' });
  });

  it('/debug/endpoints lists every route, the tools and the status', async () => {
    const { body } = await request(gateway.url).get('/debug/endpoints');
    expect(body.tools).toEqual(['search', 'execute_read', 'execute_write']);
    expect(body.status).toMatchObject({ pid: process.pid, engine: 'quickjs', logLevel: 'trace' });
    const endpoints = body.endpoints as { method: string; path: string; auth: string; description: string }[];
    expect(endpoints.map(({ path }) => path)).toContain('/metrics');
    for (const { method, path, auth, description } of endpoints) {
      const answer = await request(gateway.url)[method.toLowerCase() as 'get'](path);
      expect(answer.status).toBe(auth === 'none' ? 200 : 401);
      expect(description).not.toBe('');
    }
  });

  it('each route answers 405 to other methods, with its own methods in Allow', async () => {
    const { body } = await request(gateway.url).get('/debug/endpoints');
    for (const { method, path } of body.endpoints as { method: string; path: string }[]) {
      const answer = await request(gateway.url).delete(path);
      expect(answer.status).toBe(405);
      expect(answer.headers.allow).toBe(method === 'GET' ? 'GET, HEAD' : method);
    }
  });

  it('unknown query parameters are ignored', async () => {
    const answer = await request(gateway.url)
      .post('/mcp?codemode=true&x=1')
      .set({ Authorization: `Bearer ${key}`, Accept: 'application/json, text/event-stream' })
      .send(ping);
    expect(answer.status).toBe(200);
  });
});

it('a body of random bytes gets a JSON error without a stack', async () => {
  const answer = await post({ 'Content-Encoding': 'gzip' }).send('not gzip at all');
  expect(answer.status).toBe(400);
  expect(JSON.stringify(answer.body)).not.toMatch(/at \w+ \(|node_modules/);
});

it('the log has one line per request, 4xx as warnings, with the request id of the response', async () => {
  const answer = await request(gateway.url).get('/nowhere');
  const line = gateway
    .entries()
    .find(({ req }) => (req as { id?: string } | undefined)?.id === answer.headers['x-request-id']);
  expect(line).toMatchObject({ level: 40, status: 404, code: 'not_found', req: { method: 'GET', path: '/nowhere' } });
  expect(line?.responseTime).toBeTypeOf('number');
});

it('a client that tries to open a GET stream causes no warning in the log', async () => {
  const answer = await request(gateway.url).get('/mcp');
  const line = gateway
    .entries()
    .find(({ req }) => (req as { id?: string } | undefined)?.id === answer.headers['x-request-id']);
  expect(line).toMatchObject({ level: 30, status: 405, code: 'method_not_allowed' });
});
