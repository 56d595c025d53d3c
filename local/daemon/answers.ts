// Small HTTP answers that the data plane's rooms share.
import type { ServerResponse } from 'node:http';

/** Never closes the connection: both planes share it, and a client may be about to use it again. */
export function sendJson(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { 'content-type': 'application/json' });
  res.end(JSON.stringify(body));
}

export function sendText(res: ServerResponse, status: number, text: string): void {
  res.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  res.end(text);
}
