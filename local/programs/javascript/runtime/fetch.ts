// fetch, over the sandbox's own ports. There is no other network.
import type { LocalResponse } from '../../../machine/machine.ts';
import { type Buffer, bytesOf, toBuffer } from './buffer.ts';
import { later } from './loop.ts';

export type Pairs = [string, string][];

export function pairsOf(headers: unknown): Pairs {
  if (headers instanceof Headers) return Array.from(headers);
  const pairs = Array.isArray(headers) ? headers : Object.entries((headers ?? {}) as object);
  return pairs.map(([name, value]) => [name, String(value)]);
}

export async function fetch(
  input: unknown,
  { method = 'GET', headers, body }: { method?: string; headers?: unknown; body?: unknown } = {},
): Promise<Response> {
  const request = { url: String(input), method: method.toUpperCase(), headers: pairsOf(headers), body: bytesOf(body) };
  return later('http', request).then(
    answer => new Response(answer),
    cause => {
      throw new TypeError(`fetch failed: ${cause instanceof Error ? cause.message : ''}`, { cause });
    },
  );
}

export class Response {
  readonly status: number;
  readonly ok: boolean;
  readonly statusText = '';
  readonly headers: Headers;
  readonly #body: Buffer;
  constructor({ status, headers, body }: LocalResponse) {
    this.status = status;
    this.ok = status >= 200 && status < 300;
    this.headers = new Headers(headers as Pairs);
    this.#body = toBuffer(body);
  }
  text = async (): Promise<string> => this.#body.toString();
  json = async (): Promise<unknown> => JSON.parse(this.#body.toString());
  bytes = async (): Promise<Uint8Array<ArrayBuffer>> => Uint8Array.from(this.#body);
  arrayBuffer = async (): Promise<ArrayBuffer> => (await this.bytes()).buffer;
}
