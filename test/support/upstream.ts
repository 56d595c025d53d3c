// A real HTTP server on a free loopback port in place of the upstream API: sends the responses that a test sets, and keeps the requests.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type UpstreamRequest = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
};
type Answerer = (request: UpstreamRequest, response: ServerResponse, count: number) => void;

export type TestUpstream = {
  readonly url: string;
  readonly requests: UpstreamRequest[];
  /** Sets the response from now on. */
  answer: Answerer;
  /** Settles when this many requests have been received. */
  received(count: number): Promise<void>;
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
      const received = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      };
      upstream.requests.push(received);
      for (const waiter of waiting) if (upstream.requests.length >= waiter.count) waiter.resolve();
      upstream.answer(received, response, upstream.requests.length);
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const upstream: TestUpstream = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    answer: (_, response) => sendJson(response, {}),
    received: count =>
      new Promise(resolve => {
        if (upstream.requests.length >= count) resolve();
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
