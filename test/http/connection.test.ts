// Requests that a client sends on one connection before it has the responses, and bodies in thousands of chunks.
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newKey, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { exchange, openSocket } from '../support/raw-http.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.close());

const probe = (more = '') => `GET /healthz HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;
const call = (code: string, key: string) => {
  const body = JSON.stringify({
    ...{ jsonrpc: '2.0', id: 1, method: 'tools/call' },
    params: { name: 'search', arguments: { code } },
  });
  return `POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nAccept: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
};
const statuses = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
const openRequests = async () =>
  ((await (await fetch(`${gateway.url}/debug/endpoints`)).json()) as { status: { openRequests: number } }).status
    .openRequests;

it('pipelined requests get their responses in order', async () => {
  const key = newKey();
  const slow = call(`async () => { await new Promise(done => setTimeout(done, 100)); return 'slow' }`, key);
  const text = await exchange(gateway, slow + call(`async () => 'quick'`, key) + probe('Connection: close\r\n'));
  expect(statuses(text)).toEqual([200, 200, 200]);
  expect(text).toMatch(/slow[\s\S]*quick[\s\S]*"status":"ok"/);
});

it('requests get the same responses however their bytes are split into packets', async () => {
  const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
  const chunks = [...ping].map(byte => `1\r\n${byte}\r\n`).join('');
  const chunked = call('', newKey()).replace(
    /Content-Length[\s\S]*/,
    `Transfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`,
  );
  const sent = [probe(), call(`async () => 'ü€'.repeat(3000)`, newKey()), chunked, probe(), chunked];
  const bytes = Buffer.from(sent.join('') + probe('Connection: close\r\n'));
  const split = fc.array(fc.integer({ min: 1, max: bytes.length }), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(split, async places => {
      const ends = [...new Set([...places, bytes.length])].sort((a, b) => a - b);
      const socket = openSocket(gateway).setNoDelay();
      let text = '';
      const closed = new Promise<void>((resolve, reject) =>
        socket
          .on('data', data => (text += data))
          .on('error', reject)
          .on('close', () => resolve()),
      );
      for (const [i, end] of ends.entries()) {
        socket.write(bytes.subarray(ends[i - 1] ?? 0, end));
        await turn();
      }
      await closed;
      expect(statuses(text)).toEqual(Array(6).fill(200));
      expect(text.match(/"result":\{\}/g)).toHaveLength(2);
    }),
    { numRuns: 20 },
  );
});

it('any number of pipelined requests is served, one after the other', async () => {
  const text = await exchange(gateway, probe().repeat(2_000) + probe('Connection: close\r\n'));
  expect(statuses(text)).toEqual(Array(2_001).fill(200));
});

it('a connection that is flooded with requests is not read until the response to the first is complete', async () => {
  const slow = call('async () => new Promise(done => setTimeout(done, 500))', newKey());
  const socket = openSocket(gateway).on('error', () => undefined);
  let sent = false;
  socket.resume().write(Buffer.alloc(32_000_000, slow), () => {
    sent = true;
  });
  await expect.poll(openRequests).toBe(1);
  await Promise.all(Array.from({ length: 20 }, () => fetch(`${gateway.url}/healthz`)));
  expect(sent).toBe(false);
  expect(await openRequests()).toBe(1);
  socket.resetAndDestroy();
  await expect.poll(openRequests).toBe(0);
});

it('a client that closes its side after its requests gets the responses', async () => {
  const text = await new Promise<string>((resolve, reject) => {
    const socket = openSocket(gateway).on('error', reject);
    let received = '';
    socket.on('data', data => (received += data)).on('close', () => resolve(received));
    socket.end(probe().repeat(50));
  });
  expect(statuses(text)).toEqual(Array(50).fill(200));
});

it('a client that closes its side in the middle of a request is disconnected', async () => {
  for (let i = 0; i < 5; i++) {
    const socket = openSocket(gateway).on('error', () => undefined);
    socket.resume().end(call('async () => 1', newKey()).slice(0, -1));
    await once(socket, 'close');
  }
  expect(await openRequests()).toBe(0);
});

it('a client that is still sending can read why its request is refused', async () => {
  const head = `POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${newKey()}\r\nContent-Type: application/json\r\nAccept: application/json\r\n`;
  const text = await exchange(gateway, `${head}Content-Length: 90000000\r\n\r\n${' '.repeat(3_000_000)}`);
  expect(statuses(text)).toEqual([413]);
});

it('when a client disconnects, none of its requests stays open', async () => {
  const key = newKey();
  for (let i = 0; i < 5; i++) {
    const socket = openSocket(gateway).on('error', () => undefined);
    socket.write(call('async () => new Promise(done => setTimeout(done, 5000))', key).repeat(4));
    await expect.poll(openRequests).toBe(1);
    socket.resetAndDestroy();
    await expect.poll(openRequests).toBe(0);
  }
});

it('requests that are parsed together with an earlier one are limited for all connections together', async () => {
  const tiny = 'GET / HTTP/1.1\r\n\r\n'.repeat(100);
  const open = (i: number) => {
    const slow = call('async () => new Promise(done => setTimeout(done, 20000))', newKey());
    const [head, body] = slow.split('\r\n\r\n') as [string, string];
    const chunked = head.replace(/Content-Length: \d+/, 'Transfer-Encoding: chunked');
    const socket = openSocket(gateway).on('error', () => undefined);
    socket.resume().on('close', () => closed.add(i));
    socket.write(`${chunked}\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n${tiny}`);
    return socket;
  };
  const closed = new Set<number>();
  const sockets = Array.from({ length: 60 }, (_, i) => open(i));
  await expect.poll(() => closed.size, { timeout: 10_000 }).toBeGreaterThan(10);
  expect(closed.size).toBeLessThan(40);
  expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
  for (const socket of sockets) socket.resetAndDestroy();
  await expect.poll(openRequests).toBe(0);
});

it('a request with two Host headers is refused', async () => {
  expect(statuses(await exchange(gateway, probe('Host: other\r\nConnection: close\r\n')))).toEqual([400]);
});

it('a request with hundreds of short headers is refused instead of losing some of them', async () => {
  const headers = (count: number) => Array.from({ length: count }, (_, i) => `X${i}: y\r\n`).join('');
  const text = await exchange(gateway, probe(`${headers(300)}Connection: close\r\n`));
  expect(statuses(text)).toEqual([431]);
  expect(text).toMatch(/"code":"headers_too_large","requestId":"[\w-]+"/);
  expect(statuses(await exchange(gateway, probe(`${headers(150)}Connection: close\r\n`)))).toEqual([200]);
});

it.each(['', 'Content-Encoding: gzip\r\n'])('a body of thousands of small chunks is refused: %j', async encoding => {
  const head = `POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${newKey()}\r\nContent-Type: application/json\r\nAccept: application/json\r\n${encoding}Transfer-Encoding: chunked\r\n\r\n`;
  const text = await exchange(gateway, `${head}${'1\r\n \r\n'.repeat(20_000)}0\r\n\r\n`);
  expect(statuses(text)[0]).toBe(413);
  expect(text).toMatch(/"code":"too_complex","requestId":"[\w-]+"/);
});

it('a body that is not UTF-8 is refused, because its code would be changed', async () => {
  const body = Buffer.from(
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"code":"async () => `\xff`"}}}',
    'latin1',
  );
  const answer = await fetch(gateway.mcpUrl, {
    method: 'POST',
    headers: { Authorization: `Bearer ${newKey()}`, 'Content-Type': 'application/json', Accept: 'application/json' },
    body,
  });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ error: { data: { code: 'body_invalid' } } });
});
