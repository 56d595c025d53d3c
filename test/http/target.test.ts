// Request targets that are not a plain path: the gateway answers each with JSON that has a code and an id.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newKey, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { exchange } from '../support/raw-http.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.close());

/** Head and body of the response. */
async function send(method: string, target: string): Promise<{ readonly head: string; readonly body: string }> {
  const body = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
  const headers = `Host: localhost\r\nAuthorization: Bearer ${newKey()}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nConnection: close\r\nContent-Length: ${body.length}`;
  const text = await exchange(gateway, `${method} ${target} HTTP/1.1\r\n${headers}\r\n\r\n${body}`);
  const [head = '', ...rest] = text.split('\r\n\r\n');
  return { head, body: rest.join('\r\n\r\n') };
}

it.each(['http://somewhere.example/mcp', 'http://somewhere.example:99/mcp?x=1'])(
  '%s, as clients of proxies send it, is its path',
  async target => {
    const { head, body } = await send('POST', target);
    expect(head).toMatch(/^HTTP\/1\.1 200 /);
    expect(body).toContain('"result":{}');
  },
);

it.each(['http://', 'http://[::1', 'http://a:99999/mcp', 'https://%/', '//mcp', '*', '/%ff', '/mcp/../%00'])(
  '%s gets 4xx, a code and the id of the request',
  async target => {
    for (const method of ['POST', 'GET']) {
      const { head, body } = await send(method, target);
      expect(head).toMatch(/^HTTP\/1\.1 4\d\d /);
      const id = /x-request-id: (\S+)/i.exec(head)?.[1] ?? 'none';
      const fault: unknown = JSON.parse(/\{.*\}/s.exec(body)?.[0] ?? '');
      expect(fault).toMatchObject({ error: { code: expect.stringMatching(/^\w+$/), requestId: id } });
    }
  },
);
