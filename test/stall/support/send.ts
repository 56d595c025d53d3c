// Sends an attacker's requests: MCP calls as raw bodies, many at a time, each with a timeout.
import { connect } from 'node:net';
import { newKey } from '../../support/gateway.ts';

const TIMEOUT_MS = 60_000;

export type Target = { readonly url: string; readonly port: number };

export const toolCall = (name: string, code: string, meta: object = {}): string =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: { code }, _meta: meta } });

type PostOptions = {
  readonly key?: string;
  readonly encoding?: string;
  readonly ms?: number;
  readonly headers?: Readonly<Record<string, string>>;
};

/** The text of the response, or '' if there was none. */
export async function post(
  { url }: Target,
  body: string | Buffer,
  { key = newKey(), encoding, ms = TIMEOUT_MS, headers = {} }: PostOptions = {},
): Promise<string> {
  try {
    const answer = await fetch(`${url}/mcp`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${key}`,
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
        ...(encoding !== undefined && { 'Content-Encoding': encoding }),
        ...headers,
      },
      body,
      signal: AbortSignal.timeout(ms),
    });
    return await answer.text();
  } catch {
    return '';
  }
}

export const times = <T>(count: number, one: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => one(i));

/** The headers of a call. `framing`: the header that tells where the body ends. */
export const rawHead = (framing: string, key = newKey()): string =>
  `POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n${framing}\r\n\r\n`;

/** The bytes of a call as an HTTP request. */
export const rawRequest = (body: string, key = newKey()): string =>
  `${rawHead(`Content-Length: ${Buffer.byteLength(body)}`, key)}${body}`;

type WriteOptions = { readonly read?: boolean };

/** Writes bytes to a new connection. Resolves with true when the gateway closes it, or else after `ms`. */
export function writeRaw({ port }: Target, bytes: string, ms: number, { read = true }: WriteOptions = {}) {
  return new Promise<boolean>(resolve => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', () => resolve(true));
    socket.on('close', () => resolve(true));
    socket.write(bytes);
    if (read) socket.resume();
    else socket.pause();
    setTimeout(() => {
      resolve(false);
      socket.destroy();
    }, ms).unref();
  });
}

/** Sends a call and never reads the response. Ends after `ms`. */
export const neverRead = (target: Target, body: string, key: string, ms: number): Promise<boolean> =>
  writeRaw(target, rawRequest(body, key), ms, { read: false });
