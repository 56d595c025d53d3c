// A hostile API, or a server that pretends to be the API: with the real SDK, the key goes to no other server, and
// responses are read only up to their limits.
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Origin } from '../../src/ground/origin.ts';
import { startDataPlane, type TestDataPlane } from '../support/data-plane.ts';
import { sendJson, startUpstream, type TestUpstream } from '../support/upstream.ts';
import { CALLS, sandboxId } from './api-calls.ts';

let upstream: TestUpstream;
let elsewhere: TestUpstream;
let plane: TestDataPlane;
beforeAll(async () => {
  upstream = await startUpstream();
  elsewhere = await startUpstream();
  const api = new Origin(`${upstream.url}/base`);
  plane = await startDataPlane({ maxSandboxesPerKey: 5, connection: { api } });
});
afterAll(async () => {
  await plane.close();
  await upstream.close();
  await elsewhere.close();
});
beforeEach(() => {
  upstream.requests.length = 0;
});
afterEach(() => expect(elsewhere.requests).toEqual([]));

describe.each([
  ...['no HTTP at all', 'HTTP/1.1 000 X', 'HTTP/1.1 101 X', 'HTTP/1.1 600 X'].map(
    line => `${line}\r\nContent-Length: 2\r\n\r\n{}`,
  ),
  ...['-2\r\n{}\r\n', 'FFFFFFFFFFFFFFFFF\r\n{}', '2\r\n{}xx', 'no size\r\n'].map(
    chunk => `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`,
  ),
])('an answer of %j', text => {
  it.each([
    ['Sandbox.list', {}],
    ['Sandbox.create', {}],
    ['Sandbox.getInfo', { sandboxId }],
    ['Sandbox.kill', { sandboxId }],
    ['api.request', { path: '/v2/sandboxes' }],
  ])("is the API's fault in %s", async (capability, args) => {
    upstream.answer = (_request, { socket }) => void socket?.end(text);
    const run = plane.openRun();
    expect(await run.refusal(capability, args)).toMatchObject({
      code: 'upstream_unreachable',
      message: expect.stringContaining('NOT_HTTP'),
    });
    expect(run.faults).toEqual([]);
  });
});

describe.each([301, 302, 303, 307, 308])('a redirect with status %i', status => {
  it.each(CALLS)('is not followed by %s', async (capability, args) => {
    upstream.answer = ({ url }, response) =>
      response.writeHead(status, { location: `${elsewhere.url}${url}`, 'content-type': 'text/plain' }).end('gone');
    const run = plane.openRun();
    expect(await run.reply(capability, args)).toMatchObject({ ok: false, error: { code: 'sandbox_failed' } });
    expect(upstream.requests.length).toBeGreaterThan(0);
    for (const { url, headers } of upstream.requests) {
      expect(url).toMatch(/^\/base\//);
      expect(headers['x-api-key']).toBe(run.key);
    }
    expect(run.faults).toEqual([]);
    run.end();
  });
});

describe('a response', () => {
  const reads = CALLS.filter(([capability]) => /list|getInfo|getMetrics|listSnapshots/.test(capability));

  it.each(reads)('that does not end is only read up to the limit: %s', async (capability, args) => {
    let closed: Promise<unknown> | undefined;
    upstream.answer = (_, response) => {
      closed = new Promise(resolve => response.once('close', resolve));
      response.writeHead(200, { 'content-type': 'application/json' });
      const piece = `"${'x'.repeat(60_000)}",`;
      const more = () => {
        while (!response.destroyed && response.write(piece));
        if (!response.destroyed) response.once('drain', more);
      };
      response.write('[');
      more();
    };
    const run = plane.openRun({ limits: { maxAnswerBytes: 1_000_000 } });
    expect(await run.refusal(capability, args)).toMatchObject({
      code: 'answer_too_large',
      message: expect.stringContaining('more than 1000000 bytes'),
    });
    await closed;
    run.end();
  });

  it.each(reads)('that is not JSON, or is compressed, is an error of the API: %s', async (capability, args) => {
    const answers: readonly (readonly [body: string | Buffer, headers: Record<string, string>])[] = [
      ['<html>sorry</html>', { 'content-type': 'text/html' }],
      ['{"sandboxID":', { 'content-type': 'application/json' }],
      [gzipSync('[]'), { 'content-type': 'application/json', 'content-encoding': 'gzip' }],
      [gzipSync(Buffer.alloc(50_000_000)), { 'content-type': 'application/json', 'content-encoding': 'gzip' }],
      ['[]', { 'content-type': 'application/json', 'content-encoding': 'identity, br' }],
      [Buffer.from([0x5b, 0x22, 0xe9, 0x22, 0x5d]), { 'content-type': 'application/json' }],
      [Buffer.from('[]', 'utf16le'), { 'content-type': 'application/json; charset=utf-99' }],
      [Buffer.from([0x5b, 0, 0x00, 0xdc, 0x5d, 0]), { 'content-type': 'application/json; charset=utf-16le' }],
      [Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff]), { 'content-type': 'image/png' }],
    ];
    for (const [body, headers] of answers) {
      upstream.answer = (_, response) => response.writeHead(200, headers).end(body);
      const run = plane.openRun();
      expect(await run.reply(capability, args)).toMatchObject({ ok: false, error: { code: 'upstream_failed' } });
      expect(run.faults).toEqual([]);
      run.end();
    }
  });

  it.each([
    ['utf-16le', Buffer.from('[{"error":"é€"}]', 'utf16le')],
    ['UTF-16', Buffer.from('\ufeff[{"error":"é€"}]', 'utf16le')],
    ['"windows-1252"', Buffer.from([...Buffer.from('[{"error":"'), 0xe9, 0x80, ...Buffer.from('"}]')])],
    ['utf-8', Buffer.from('\ufeff[{"error":"é€"}]')],
  ])('in the charset %s is decoded', async (charset, body) => {
    upstream.answer = (_, response) =>
      response.writeHead(200, { 'content-type': `application/json; charset=${charset}` }).end(body);
    const run = plane.openRun();
    expect(await run.call('api.request', { path: '/v2/sandboxes' })).toMatchObject({ data: [{ error: 'é€' }] });
    run.end();
  });

  it('in another charset is also limited by its size in UTF-8', async () => {
    const bodies = [
      Buffer.from('a'.repeat(600_000), 'utf16le'),
      Buffer.from(`[${'{},'.repeat(450_000)}{}]`, 'utf16le'),
    ];
    for (const body of bodies) {
      upstream.answer = (_, response) =>
        response.writeHead(200, { 'content-type': 'application/json; charset=utf-16le' }).end(body);
      const run = plane.openRun();
      expect(await run.refusal('api.request', { path: '/v2/sandboxes' })).toMatchObject({ code: 'answer_too_large' });
      run.end();
    }
  });

  it('with an error page in Latin-1 keeps its status', async () => {
    upstream.answer = (_, response) =>
      response.writeHead(404, { 'content-type': 'text/html' }).end(Buffer.from('<p>caf\u00e9</p>', 'latin1'));
    const run = plane.openRun();
    expect(await run.call('api.request', { path: '/v2/sandboxes' })).toMatchObject({
      status: 404,
      data: '<p>caf\ufffd</p>',
    });
    run.end();
  });

  it.each(reads)('with too many values is refused with the limit: %s', async (capability, args) => {
    upstream.answer = (_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(`[${'{},'.repeat(100_000)}{}]`);
    const run = plane.openRun();
    expect(await run.refusal(capability, args)).toMatchObject({
      code: 'answer_too_large',
      message: expect.stringMatching(/more than \d+ values/),
    });
    run.end();
  });
});

it('a 429 with Retry-After is repeated if there is enough time', async () => {
  upstream.answer = (_, response, count) => {
    if (count === 1) sendJson(response, { message: 'slow down' }, 429, { 'retry-after': '1' });
    else sendJson(response, []);
  };
  expect(await plane.openRun().call('Sandbox.list', {})).toMatchObject({ items: [] });
  upstream.requests.length = 0;
  upstream.answer = (_, response) => sendJson(response, { message: 'slow down' }, 429, { 'retry-after': '600' });
  expect(await plane.openRun().refusal('Sandbox.list', {})).toMatchObject({
    code: 'sandbox_failed',
    message: expect.stringMatching(/^RateLimitError/),
  });
  expect(upstream.requests).toHaveLength(1);
});

it('a request without response ends after requestTimeoutMs', async () => {
  upstream.answer = () => {};
  const args = { sandboxId, opts: { requestTimeoutMs: 100 } };
  expect(await plane.openRun().refusal('Sandbox.getInfo', args)).toMatchObject({
    code: 'sandbox_failed',
    message: expect.stringMatching(/^TimeoutError/),
  });
});

it('slow calls of one key do not delay another key', async () => {
  const slow = plane.openRun({ limits: { maxCalls: 1_000, maxParallelCalls: 256 } });
  upstream.answer = ({ headers }, response) => {
    if (headers['x-api-key'] !== slow.key) sendJson(response, []);
  };
  const waiting = Array.from({ length: 256 }, () => slow.reply('Sandbox.list', {}));
  expect(await plane.openRun().call('Sandbox.list', {})).toMatchObject({ items: [] });
  slow.end();
  await Promise.all(waiting);
});

it('a large response to api.request is read on another thread and counts as CPU time of the run', async () => {
  const entry = { sandboxID: sandboxId, envdAccessToken: 'x-secret', metadata: { owner: 'me' } };
  const text = JSON.stringify(Array(50_000).fill(entry));
  upstream.answer = (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(text);
  let turns = 0;
  const count = setInterval(() => turns++, 1);
  const run = plane.openRun();
  const { data } = await run.call<{ data: object[] }>('api.request', { path: '/v2/sandboxes' });
  clearInterval(count);
  expect(data).toHaveLength(50_000);
  expect(JSON.stringify(data)).not.toContain('x-secret');
  expect(run.hostMs()).toBeGreaterThan(20);
  expect(turns).toBeGreaterThan(5);
});

describe('a snapshot id that would change the path', () => {
  it.each(['x/../../sandboxes/i0', 'x//y', 'x/', 'x/./y', '../api-keys/1'])('is refused: %s', async snapshotId => {
    expect(await plane.openRun().refusal('Sandbox.deleteSnapshot', { snapshotId })).toMatchObject({
      code: 'request_invalid',
    });
    expect(upstream.requests).toEqual([]);
  });

  it.each(['api-keys', 'a/admin', 'teams:1/secrets'])('with a forbidden segment is refused: %s', async snapshotId => {
    expect(await plane.openRun().refusal('Sandbox.deleteSnapshot', { snapshotId })).toMatchObject({
      code: 'path_refused',
    });
    expect(upstream.requests).toEqual([]);
  });
});

describe('execute_read with a sandbox that is paused during the run', () => {
  it('asks for the state before each request that could resume the sandbox', async () => {
    let state = 'running';
    upstream.answer = (_, response) => {
      sendJson(response, { sandboxID: sandboxId, templateID: 't', state, envdVersion: '0.6.13' });
      state = 'paused';
    };
    const run = plane.openRun({ mode: 'read' });
    const requests = plane.requests.length;
    await run.reply('Sandbox.files.list', { sandboxId, path: '/tmp' });
    const reached = plane.requests.length;
    expect(reached).toBeGreaterThan(requests);
    for (const capability of ['Sandbox.files.list', 'Sandbox.files.read', 'Sandbox.files.exists'])
      expect(await run.refusal(capability, { sandboxId, path: '/tmp' })).toMatchObject({ code: 'sandbox_not_running' });
    expect(plane.requests.length).toBe(reached);
  });
});

describe('a body that the quota cannot read', () => {
  it.each([
    { contentType: 'text/plain', rawBody: '{"templateID":"base"}' },
    { contentType: 'application/x-yaml', rawBody: 'templateID: base' },
    { body: ['templateID'] },
  ])('is refused: %j', async body => {
    const args = { method: 'POST', path: '/sandboxes', unchecked: true, ...body };
    expect(await plane.openRun().refusal('api.request', args)).toMatchObject({ code: 'request_invalid' });
    expect(upstream.requests).toEqual([]);
  });
});
