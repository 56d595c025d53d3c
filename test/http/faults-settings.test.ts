// HTTP errors that depend on the operator's settings, and malformed requests.
import { connect as openSocket } from 'node:net';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newKey, startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.close());

const key = newKey();
const ping = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} };

describe("the operator's settings", () => {
  it('MCP_DEBUG_ENDPOINT=false removes the page', async () => {
    const quiet = await startTestGateway({ env: { MCP_DEBUG_ENDPOINT: 'false' } });
    expect((await request(quiet.url).get('/debug/endpoints')).status).toBe(404);
    await quiet.close();
  });

  it('ALLOWED_HOSTS replaces the loopback names; * allows any host', async () => {
    const named = await startTestGateway({ env: { ALLOWED_HOSTS: 'mcp.example.com' } });
    expect((await request(named.url).get('/debug/endpoints')).status).toBe(403);
    expect((await request(named.url).get('/debug/endpoints').set('Host', 'mcp.example.com:8443')).status).toBe(200);
    await named.close();
    const open = await startTestGateway({ env: { ALLOWED_HOSTS: '*' } });
    expect((await request(open.url).get('/debug/endpoints').set('Host', 'anything.example')).status).toBe(200);
    await open.close();
  });

  it('listening on an address other than loopback without ALLOWED_HOSTS is refused', async () => {
    await expect(startTestGateway({ env: { HOST: '0.0.0.0' } })).rejects.toThrow(/ALLOWED_HOSTS/);
  });
});

it('a client that disconnects in the middle of a body does not disturb others', async () => {
  const { port } = new URL(gateway.url);
  const socket = openSocket(Number(port), '127.0.0.1');
  socket.write(
    `POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`,
  );
  await new Promise(resolve => socket.once('connect', resolve));
  socket.destroy();
  const headers = { Authorization: `Bearer ${key}`, Accept: 'application/json' };
  expect((await request(gateway.url).post('/mcp').set(headers).send(ping)).status).toBe(200);
});

describe('a request target that is not a path', () => {
  const body = JSON.stringify(ping);
  const send = (target: string, host = '127.0.0.1') =>
    new Promise<string>((resolve, reject) => {
      const { port } = new URL(gateway.url);
      const socket = openSocket({ port: Number(port), host: '127.0.0.1' });
      let answer = '';
      socket.on('data', chunk => (answer += chunk)).on('end', () => resolve(answer));
      socket.on('error', reject);
      socket.end(
        `POST ${target} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    });

  it.each([
    'http://127.0.0.1/mcp',
    'http://[/mcp',
    'http://evil.example/mcp',
    '//x/mcp',
    'mcp',
    '*',
    '/mcp?a=%',
    '/%',
    'http://a b',
  ])('%s gets a response, and no internal error is logged', async target => {
    const before = gateway.entries().filter(({ level }) => level >= 50).length;
    const answer = await send(target);
    expect(answer).toMatch(/^HTTP\/1\.1 (?:200|4\d\d) /);
    expect(gateway.entries().filter(({ level }) => level >= 50).length).toBe(before);
  });
});
