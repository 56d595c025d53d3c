// Requests that Node's parser refuses, over raw sockets: each gets an error with a code and an id that is also in the log.
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newKey, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { openSocket, exchange as rawExchange } from '../support/raw-http.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.close());

const exchange = (...pieces: readonly string[]) => rawExchange(gateway, ...pieces);

function expectFault(answer: string, status: number, code: string): void {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(head).toMatch(/^connection: close\r?$/im);
  const id = /^x-request-id: (\S+)/im.exec(head)?.[1];
  const { error } = JSON.parse(body);
  // On the MCP endpoint the error is JSON-RPC.
  expect(error.data ?? error).toMatchObject({ code, requestId: id });
  expect(error.message).toEqual(expect.any(String));
  const lines = gateway.entries().filter(({ req }) => (req as { id?: string } | undefined)?.id === id);
  expect(lines).toMatchObject([{ msg: 'request', status, code }]);
}

const POST = `POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;

describe('a request that cannot be read', () => {
  it.each([
    ['a target that is not a path', 'GET mailto:a@b HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['no target', 'GET\r\n\r\n'],
    ['a method that does not exist', 'BREW /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['a method in lower case', 'post /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['a version that does not exist', 'GET /healthz HTTP/3.7\r\nHost: localhost\r\n\r\n'],
    ['a space in a header name', 'GET /healthz HTTP/1.1\r\nHost : localhost\r\n\r\n'],
    ['a header without a colon', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nnonsense\r\n\r\n'],
    ['a control character in a header', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nA: \x00\r\n\r\n'],
    ['a length that is not a number', `${POST}Content-Length: ten\r\n\r\n`],
    ['two lengths', `${POST}Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}`],
    ['length and chunks', `${POST}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}`],
    ['a TLS handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['HTTP/2 without asking', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])('with %s gets 400, a code and its id', async (_what, text) => {
    expectFault(await exchange(text), 400, 'request_malformed');
  });

  it('without a Host header gets 400, also on routes that accept any host', async () => {
    for (const path of ['/healthz', '/mcp', '/nowhere'])
      expectFault(await exchange(`GET ${path} HTTP/1.1\r\nConnection: close\r\n\r\n`), 400, 'request_malformed');
  });

  it('of HTTP/1.0 needs no Host header for a health check', async () => {
    expect(await exchange('GET /healthz HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('with headers that are too large gets 431', async () => {
    const answer = await exchange(`GET /healthz HTTP/1.1\r\nHost: localhost\r\nA: ${'x'.repeat(100_000)}\r\n\r\n`);
    expectFault(answer, 431, 'headers_too_large');
  });

  it('CONNECT gets 405', async () => {
    const answer = await exchange('CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n');
    expectFault(answer, 405, 'method_not_allowed');
  });

  it('the gateway continues when clients send CONNECT and reset the connection', async () => {
    const resets = Array.from({ length: 60 }, async (_, at) => {
      const socket = openSocket(gateway).on('error', () => undefined);
      await once(socket, 'connect');
      socket.write(`CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n${'x'.repeat(at * 1_000)}`);
      await new Promise(setImmediate);
      socket.resetAndDestroy();
      await once(socket, 'close');
    });
    await Promise.all(resets);
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
  });

  it('with an unknown Expect header is handled as without it', async () => {
    const answer = await exchange(
      'GET /healthz HTTP/1.1\r\nHost: localhost\r\nExpect: tea\r\nConnection: close\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('with malformed chunks gets 4xx and is closed, with or without a valid key', async () => {
    for (const key of ['', `Authorization: Bearer ${newKey()}\r\n`]) {
      const answer = await exchange(`${POST}${key}Transfer-Encoding: chunked\r\n\r\n`, 'zz\r\nhello\r\n');
      expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
      expect(answer).toMatch(/"code":"\w+"/);
      expect(answer).toMatch(/x-request-id: \S+/i);
      expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
    }
  });

  it('gets its error only after the response to the previous request', async () => {
    const body = JSON.stringify({
      ...{ jsonrpc: '2.0', id: 1, method: 'tools/call' },
      params: { name: 'search', arguments: { code: 'async () => 6 * 7' } },
    });
    const first = `${POST}Authorization: Bearer ${newKey()}\r\nAccept: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const answer = await exchange(`${first}BREW /mcp HTTP/1.1\r\n\r\n`);
    const second = answer.lastIndexOf('HTTP/1.1 ');
    expect(answer.slice(0, second)).toMatch(/^HTTP\/1\.1 200 [\s\S]*42/);
    expectFault(answer.slice(second), 400, 'request_malformed');
  });

  it('has none of its content in the log, and the gateway continues', async () => {
    const answer = await exchange(`GET mailto:secret@b HTTP/1.1\r\nAuthorization: Bearer ${newKey()}\r\n\r\n`);
    expect(answer).not.toMatch(/secret|Bearer/);
    expect(gateway.lines.join('\n')).not.toContain('secret@b');
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
  });
});
