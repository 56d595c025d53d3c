// A real HTTP server on a free loopback port that stands for the upstream API: answers as told and keeps what it heard.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Heard = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
};
type Answerer = (heard: Heard, response: ServerResponse, count: number) => void;

export type TestUpstream = {
  readonly url: string;
  readonly heard: Heard[];
  /** How to answer from now on. */
  answer: Answerer;
  /** Settles when `heard` has so many requests. */
  hears(count: number): Promise<void>;
  close(): Promise<void>;
};

export const sendJson = (
  response: ServerResponse,
  value: unknown,
  status = 200,
  headers: Record<string, string> = {},
) => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
};

export async function startUpstream(): Promise<TestUpstream> {
  const waiting: { count: number; resolve: () => void }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', chunk => chunks.push(chunk));
    request.on('end', () => {
      const heard = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      };
      upstream.heard.push(heard);
      for (const waiter of waiting) if (upstream.heard.length >= waiter.count) waiter.resolve();
      upstream.answer(heard, response, upstream.heard.length);
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const upstream: TestUpstream = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard: [],
    answer: (_, response) => sendJson(response, {}),
    hears: count =>
      new Promise(resolve => {
        if (upstream.heard.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return upstream;
}
