// The daemon of a local sandbox over plain HTTP, for what no SDK shows: Connect's envelopes, statuses, headers.
import type { LocalCloud } from '../../../local/server.ts';

// biome-ignore lint/suspicious/noExplicitAny: what a foreign API answers is looked at field by field
export type Answered = { status: number; headers: Headers; body: any };

export type Wire = ReturnType<typeof wireOf>;

export function wireOf(local: LocalCloud, sandboxId: string) {
  const token = local.cloud.find(sandboxId)?.envdAccessToken ?? '';
  const target = (port: number) => ({ 'e2b-sandbox-id': sandboxId, 'e2b-sandbox-port': String(port) });
  return {
    stream: (path: string, request: object, headers: Record<string, string> = {}) =>
      fetch(local.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/connect+json', 'x-access-token': token, ...target(49983), ...headers },
        body: envelope(request),
      }),
    async unary(path: string, request: object, headers: Record<string, string> = {}): Promise<Answered> {
      const response = await fetch(local.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-access-token': token, ...target(49983), ...headers },
        body: JSON.stringify(request),
      });
      return { status: response.status, headers: response.headers, body: await response.json() };
    },
    /** The daemon's own HTTP, with the token. */
    http: (path: string, init: RequestInit = {}) =>
      fetch(local.url + path, {
        ...init,
        headers: { 'x-access-token': token, ...target(49983), ...(init.headers as Record<string, string>) },
      }),
    port: (port: number, path: string, body?: object, headers: Record<string, string> = {}) =>
      fetch(local.url + path, {
        headers: { ...target(port), ...(body && { 'content-type': 'application/json' }), ...headers },
        ...(body && { method: 'POST', body: JSON.stringify(body) }),
      }),
  };
}

function envelope(message: object): Uint8Array<ArrayBuffer> {
  const json = Buffer.from(JSON.stringify(message));
  const bytes = new Uint8Array(5 + json.length);
  new DataView(bytes.buffer).setUint32(1, json.length);
  bytes.set(json, 5);
  return bytes;
}

/** The messages of a stream, its last one included. */
export function envelopes(bytes: Buffer): unknown[] {
  const messages: unknown[] = [];
  for (let at = 0; at + 5 <= bytes.length; ) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    if (end <= bytes.length) messages.push(JSON.parse(bytes.subarray(at + 5, end).toString('utf8')));
    at = end;
  }
  return messages;
}
