// How the wire reads a stream of messages, however its sender divides it.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, expect, it } from 'vitest';
import { type Wire, WireFactory } from '../../src/e2b/wire.ts';

const wires = new WireFactory();
let server: Server;
afterAll(() => wires.close());
afterEach(() => server.close().closeAllConnections());

async function open(contentType: string, pieces: readonly Uint8Array[]): Promise<{ wire: Wire; origin: string }> {
  server = createServer((_req, res) => {
    res.writeHead(200, { 'content-type': contentType });
    for (const piece of pieces) res.write(piece);
    res.end();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { signal } = new AbortController();
  return {
    origin,
    wire: wires.open({ origin, principalId: 'someone', signal, maxAnswerBytes: 100_000, maxMessageBytes: 1_000 }),
  };
}

const message = (text: string) => Buffer.from([0, 0, 0, text.length >> 8, text.length & 255, ...Buffer.from(text)]);

it('passes on only complete messages, one at a time', async () => {
  const sent = ['', 'x'.repeat(1_000), '', '{}', 'y'.repeat(300)].map(message);
  const all = Buffer.concat(sent);
  for (const size of [1, 7, 400, all.length]) {
    const pieces = Array.from({ length: Math.ceil(all.length / size) }, (_, i) =>
      all.subarray(i * size, (i + 1) * size),
    );
    const { wire, origin } = await open('application/connect+json', pieces);
    const got: Buffer[] = [];
    for await (const chunk of (await wire.fetch(origin)).body ?? []) got.push(Buffer.from(chunk));
    expect(got).toEqual(sent);
    server.close().closeAllConnections();
  }
});

it.each(['application/connect+json', 'Application/Connect+JSON', 'application/connect+proto'])(
  'refuses a message whose announced length is over the limit: %s',
  async contentType => {
    const { wire, origin } = await open(contentType, [message('x'), message('x'.repeat(1_001))]);
    const response = await wire.fetch(origin);
    await expect(response.arrayBuffer()).rejects.toThrow();
    expect(wire.fault).toMatchObject({ code: 'answer_too_large' });
  },
);

it.each([
  ['empty messages', message('')],
  ['small messages', message('{}')],
])('counts messages, not only their bytes: %s', async (_what, small) => {
  const flood = Buffer.concat(Array<Buffer>(120_000).fill(small));
  server = createServer((_req, res) => res.writeHead(200, { 'content-type': 'application/connect+json' }).end(flood));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let turns = 0;
  const wire = wires.open({
    ...{ origin, principalId: 'someone', signal: new AbortController().signal },
    ...{ maxAnswerBytes: 10_000_000, maxMessageBytes: 1_000 },
    turn: async () => turns++,
  });
  const response = await wire.fetch(origin);
  await expect(response.arrayBuffer()).rejects.toThrow();
  expect(wire.fault).toMatchObject({ code: 'answer_too_large', message: expect.stringContaining('100000 messages') });
  expect(turns).toBeGreaterThan(1_000);
});
