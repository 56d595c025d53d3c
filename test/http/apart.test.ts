// Blocks are written from their own memory, which is freed when the response was taken by the system, and not earlier.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Response as NodeResponse } from 'express';
import { afterEach, expect, it } from 'vitest';
import { type Base64, base64In } from '../../src/ground/base64.ts';
import { BlocksApart } from '../../src/http/apart.ts';
import { sendAnswer } from '../../src/http/web.ts';

/** More than the system keeps for a connection whose client does not read. */
const CHARS = 16 << 20;

let server: Server;
afterEach(() => server.close());

const blockOf = (character: string, chars: number): Base64 => {
  const block = base64In(Buffer.alloc(chars, character));
  if (block === undefined) throw new Error('not base64');
  return block;
};

/** Sends the blocks as a response to a client that does not read yet. */
async function sendToPausedClient(...blocks: Base64[]) {
  const apart = new BlocksApart();
  const marks = blocks.map(block => apart.set(block));
  let written = (_: NodeResponse): void => {};
  const responding = new Promise<NodeResponse>(resolve => {
    written = resolve;
  });
  server = createServer((_request, response) => {
    const express = Object.assign(response, {
      status: (code: number) => Object.assign(response, { statusCode: code }),
    }) as unknown as NodeResponse;
    void sendAnswer({ json: JSON.stringify({ marks }) }, express, apart);
    written(express);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
  client.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  const response = await responding;
  return { client, response };
}

it('the block is kept while a client reads slowly, arrives complete, and is freed then', async () => {
  const [a, b] = [blockOf('A', CHARS), blockOf('B', 20_000)];
  const { client, response } = await sendToPausedClient(a, b);
  await once(client, 'readable');
  expect(response.writableFinished).toBe(false);
  expect([a.length, b.length]).toEqual([CHARS, 20_000]);
  const finished = once(response, 'finish');
  let text = '';
  client.setEncoding('latin1').on('data', part => (text += part));
  await once(client, 'end');
  await finished;
  const { marks } = JSON.parse(text.slice(text.indexOf('\r\n\r\n'))) as { marks: string[] };
  expect(marks.map(mark => [mark.length, [...new Set(mark)].join('')])).toEqual([
    [CHARS, 'A'],
    [20_000, 'B'],
  ]);
  expect([a.length, b.length]).toEqual([0, 0]);
});

it('the block is not freed when the client leaves, because the system may still be writing', async () => {
  const block = blockOf('A', CHARS);
  const { client, response } = await sendToPausedClient(block);
  await once(client, 'readable');
  client.destroy();
  await once(response, 'close');
  expect(block.length).toBe(CHARS);
});
