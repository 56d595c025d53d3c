import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Origin } from '../../src/ground/origin.ts';
import { principalFromKey } from '../../src/principal.ts';
import {
  createUpstreamClient,
  type SendOptions,
  type UpstreamAnswer,
  type UpstreamClient,
} from '../../src/upstream/client.ts';
import { UpstreamError } from '../../src/upstream/failure.ts';
import { type GuardedRequest, guardRequest } from '../../src/upstream/guard.ts';
import { Operations } from '../../src/upstream/operations.ts';
import { description } from '../support/description.ts';
import { sendJson, startUpstream, type TestUpstream } from '../support/upstream.ts';

const apiKey = `e2b_${randomBytes(20).toString('hex')}`;
const operations = new Operations(description);
const list = guardRequest({ path: '/v2/sandboxes', query: { limit: 2, nextToken: 'q-secret' } }, 'read', operations);
const create = guardRequest({ method: 'POST', path: '/sandboxes', body: { templateID: 'bäse' } }, 'write', operations);

let upstream: TestUpstream;
let origin: Origin;
let client: UpstreamClient;
beforeEach(async () => {
  upstream = await startUpstream();
  origin = new Origin(`${upstream.url}/base/`);
  client = createUpstreamClient(origin, { retryDelayMs: 1 });
});
afterEach(async () => {
  await origin.close();
  await upstream.close();
});

const limits = { maxBytes: 100_000, maxValues: 20_000, maxKeys: 10_000, maxDepth: 50, maxKeyBytes: 1_000 };
const options: SendOptions = {
  principal: principalFromKey(apiKey),
  signal: new AbortController().signal,
  limits,
  timeoutMs: 15_000,
};
const textOf = ({ body, status, headers }: UpstreamAnswer) => ({ status, headers, text: body.toString() });
const failure = async (request: GuardedRequest, more: Partial<SendOptions> = {}) => {
  const error = await client.send(request, { ...options, ...more }).then(
    answer => Promise.reject(new Error(`answered ${answer.status}`)),
    caught => caught,
  );
  expect(error).toBeInstanceOf(UpstreamError);
  expect(String(error)).not.toMatch(/q-secret|127\.0\.0\.1|http:/);
  expect(String(error)).not.toContain(apiKey);
  return error as UpstreamError;
};

describe('a request', () => {
  test('is sent with base path, our headers, key and body', async () => {
    upstream.answer = (_, response) =>
      sendJson(response, { ok: 1 }, 201, { 'x-next-token': 'n', 'set-cookie': 'a=b', 'x-other': 'c' });
    const answer = await client.send(create, options);
    expect(textOf(answer)).toEqual({
      status: 201,
      text: '{"ok":1}',
      headers: { 'content-type': 'application/json', 'x-next-token': 'n' },
    });
    const [sent] = upstream.requests;
    expect(sent).toMatchObject({ method: 'POST', url: '/base/sandboxes', body: '{"templateID":"bäse"}' });
    expect(sent?.headers).toMatchObject({
      'x-api-key': apiKey,
      'content-type': 'application/json',
      accept: 'application/json',
    });
    expect(sent?.headers).not.toHaveProperty('authorization');
    await client.send(list, options);
    expect(upstream.requests[1]?.url).toBe('/base/v2/sandboxes?limit=2&nextToken=q-secret');
  });

  test('that was not guarded is refused', async () => {
    await expect(client.send({ ...list }, options)).rejects.toMatchObject({ code: 'internal' });
    expect(upstream.requests).toEqual([]);
  });

  test('reuses connections', async () => {
    const ports = new Set<number | undefined>();
    upstream.answer = (_, response) => {
      ports.add(response.socket?.remotePort);
      sendJson(response, {});
    };
    for (let i = 0; i < 20; i++) await client.send(list, options);
    expect(ports.size).toBeLessThan(5);
  });
});

describe('a response', () => {
  test.each([204, 302, 400, 404, 500])('with status %i is returned, and the request is sent once', async status => {
    upstream.answer = (_, response) => response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end();
    expect(textOf(await client.send(list, options))).toEqual({ status, text: '', headers: {} });
    expect(upstream.requests).toHaveLength(1);
  });

  test('to HEAD has no body', async () => {
    upstream.answer = (_, response) => sendJson(response, { big: 'x' });
    const head = guardRequest({ method: 'HEAD', path: '/health' }, 'read', operations);
    expect(textOf(await client.send(head, options))).toMatchObject({ status: 200, text: '' });
  });

  test('that is too large is not read to its end', async () => {
    let closed: Promise<unknown> | undefined;
    upstream.answer = (_, response) => {
      closed = new Promise(resolve => response.on('close', resolve));
      const more = () => {
        while (response.write('x'.repeat(10_000)));
        response.once('drain', more);
      };
      more();
    };
    const error = await failure(create);
    expect(error).toMatchObject({ code: 'answer_too_large', sent: true, answeredStatus: 200 });
    await closed;
  });

  test.each<[what: string, body: string, message: RegExp]>([
    ['values', `[${'{},'.repeat(30_000)}0]`, /more than 20000 values/],
    ['values, after space', `${' '.repeat(5_000)}[${'0,'.repeat(30_000)}0]`, /more than 20000 values/],
    ['keys', `{${Array.from({ length: 10_001 }, (_, i) => `"${i}":1`).join()}}`, /more than 10000 keys/],
    ['depth', '['.repeat(60), /deeper than 50/],
    ['one key', `{"${'k'.repeat(2_000)}":1}`, /key longer than 1000 bytes/],
  ])(
    'with too many or too deep values is refused before it is parsed, with the limit: %s',
    async (_what, body, message) => {
      upstream.answer = (_, response) => response.writeHead(200).end(body);
      expect(await failure(create)).toMatchObject({
        code: 'answer_too_large',
        message: expect.stringMatching(message),
      });
    },
  );

  test('that is compressed is refused', async () => {
    for (const encoding of ['gzip', 'BR', 'identity, deflate']) {
      upstream.answer = (_, response) => response.writeHead(200, { 'content-encoding': encoding }).end('[]');
      expect(await failure(list)).toMatchObject({ code: 'upstream_failed', answeredStatus: 200 });
    }
  });

  test('that is not JSON may have any number of words', async () => {
    upstream.answer = (_, response) => response.writeHead(200).end('a '.repeat(40_000));
    expect((await client.send(list, options)).body).toHaveLength(80_000);
  });

  test('is reported to onBytes', async () => {
    let bytes = 0;
    upstream.answer = (_, response) => sendJson(response, 'x'.repeat(998));
    await client.send(list, { ...options, onBytes: count => (bytes += count) });
    expect(bytes).toBe(1000);
  });
});

describe('reads are repeated', () => {
  test.each([429, 502, 503, 504])('after %i', async status => {
    upstream.answer = (_, response, count) => sendJson(response, count, count < 3 ? status : 200);
    expect(textOf(await client.send(list, options))).toMatchObject({ status: 200, text: '3' });
  });

  test('until the attempts are used up, then the last response is returned', async () => {
    upstream.answer = (_, response, count) => sendJson(response, count, 503);
    expect(textOf(await client.send(list, options))).toMatchObject({ status: 503, text: '4' });
  });

  test('after a reset before or in the response', async () => {
    upstream.answer = (_, response, count) => {
      if (count === 1) response.destroy();
      else if (count === 2) {
        response.writeHead(200, { 'content-length': '100' }).write('{"half":', () => response.destroy());
      } else sendJson(response, count);
    };
    expect(textOf(await client.send(list, options))).toMatchObject({ status: 200, text: '3' });
  });

  test('not before Retry-After allows', async () => {
    const times: number[] = [];
    upstream.answer = (_, response, count) => {
      times.push(performance.now());
      sendJson(response, {}, count === 1 ? 429 : 200, { 'retry-after': '1' });
    };
    await client.send(list, options);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(950);
  });

  test.each([['120'], [new Date(Date.now() + 120_000).toUTCString()]])(
    'not if Retry-After %s exceeds the timeout: then the response is returned',
    async retryAfter => {
      upstream.answer = (_, response) => sendJson(response, {}, 429, { 'retry-after': retryAfter });
      expect(await client.send(list, options)).toMatchObject({ status: 429, headers: { 'retry-after': retryAfter } });
      expect(upstream.requests).toHaveLength(1);
    },
  );
});

describe('a write is sent once', () => {
  test.each([429, 502, 503, 504])('after %i', async status => {
    upstream.answer = (_, response) => sendJson(response, {}, status, { 'retry-after': '0' });
    expect(await client.send(create, options)).toMatchObject({ status });
    expect(upstream.requests).toHaveLength(1);
  });

  test('and after a reset the error says that it may have taken effect', async () => {
    upstream.answer = (_, response) => response.destroy();
    const error = await failure(create);
    expect(error).toMatchObject({
      code: 'upstream_unreachable',
      sent: true,
      message: expect.stringMatching(/may have taken effect/),
    });
    expect(upstream.requests).toHaveLength(1);
  });

  test('and without response in time the error says that it was sent', async () => {
    upstream.answer = () => {};
    expect(await failure(create, { timeoutMs: 100 })).toMatchObject({ code: 'upstream_timeout', sent: true });
  });

  test('and without a server the error says that it was not sent', async () => {
    await upstream.close();
    expect(await failure(create)).toMatchObject({
      code: 'upstream_unreachable',
      sent: false,
      message: expect.stringMatching(/was not sent/),
    });
  });
});

describe('a failure', () => {
  test('of a response that does not end is a timeout', async () => {
    upstream.answer = (_, response) => response.writeHead(200).write('{');
    expect(await failure(list, { timeoutMs: 100 })).toMatchObject({ code: 'upstream_timeout' });
  });

  test('of a call that was cancelled during the response has the status', async () => {
    const controller = new AbortController();
    upstream.answer = (_, response) => response.writeHead(201).write('{');
    const error = await failure(create, { signal: controller.signal, onBytes: () => controller.abort() });
    expect(error).toMatchObject({ code: 'cancelled', sent: true, answeredStatus: 201 });
  });

  test('of a cancelled call comes at once, even if it waits for another attempt', async () => {
    const controller = new AbortController();
    upstream.answer = (_, response) => sendJson(response, {}, 503, { 'retry-after': '10' });
    const error = failure(list, { signal: controller.signal });
    await upstream.received(1);
    controller.abort();
    expect(await error).toMatchObject({ code: 'cancelled' });
    expect(await failure(create, { signal: controller.signal })).toMatchObject({ code: 'cancelled' });
    expect(upstream.requests).toHaveLength(1);
  });

  test('of a server that does not use HTTP is upstream_unreachable', async () => {
    const server = createServer(socket => socket.resume().end('SSH-2.0-hello\r\n'));
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const elsewhere = new Origin(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`);
    const other = createUpstreamClient(elsewhere, { retryDelayMs: 1 });
    await expect(other.send(list, options)).rejects.toMatchObject({ code: 'upstream_unreachable' });
    await elsewhere.close();
    await new Promise(resolve => server.close(resolve));
  });
});

describe('connections', () => {
  test('are shared so that slow calls of one key do not delay another key', async () => {
    upstream.answer = (request, response) => {
      if (request.headers['x-api-key'] !== apiKey) sendJson(response, {});
    };
    const over = new AbortController();
    const slow = Array.from({ length: 800 }, () =>
      client.send(list, { ...options, signal: AbortSignal.any([over.signal]) }),
    );
    const other = principalFromKey(`e2b_${randomBytes(20).toString('hex')}`);
    expect(await client.send(list, { ...options, principal: other })).toMatchObject({ status: 200 });
    over.abort();
    const ends = await Promise.allSettled(slow);
    expect(ends.map(end => end.status === 'rejected' && end.reason.code)).toEqual(slow.map(() => 'cancelled'));
    expect(upstream.requests.length).toBeLessThan(100);
  });

  test('that did not become free in time: the call counts as not sent', async () => {
    upstream.answer = () => {};
    const over = new AbortController();
    const slow = Array.from({ length: 64 }, () =>
      client.send(list, { ...options, signal: AbortSignal.any([over.signal]) }),
    );
    expect(await failure(create, { timeoutMs: 200 })).toMatchObject({ code: 'upstream_timeout', sent: false });
    over.abort();
    await Promise.allSettled(slow);
  });
});
