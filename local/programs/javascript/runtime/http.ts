// Node's http (servers and clients) and fetch, over the sandbox's own ports. There is no other network.

import { EventEmitter } from 'events/';
import type { HttpRequest, HttpResponse } from '../../protocol.ts';
import { Buffer, toBuffer } from './buffer.ts';
import { call } from './host.ts';
import { later, onRequest } from './loop.ts';

type Pairs = [string, string][];

export class IncomingMessage extends EventEmitter {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly statusCode: number | undefined;
  readonly headers: Record<string, string>;
  readonly socket = { remoteAddress: '127.0.0.1' };
  readonly httpVersion = '1.1';
  readonly #body: Buffer;
  #encoding: string | undefined;

  constructor(message: Partial<HttpRequest & HttpResponse> & { headers: Pairs; body: Uint8Array }) {
    super();
    this.method = message.method;
    this.url = message.path;
    this.statusCode = message.status;
    this.headers = Object.fromEntries(message.headers.map(([name, value]) => [name.toLowerCase(), value]));
    this.#body = toBuffer(message.body);
  }
  setEncoding(encoding: string): this {
    this.#encoding = encoding;
    return this;
  }
  resume(): this {
    return this;
  }
  /** Once the listeners are on. */
  deliver(): void {
    queueMicrotask(() => {
      if (this.#body.length > 0)
        this.emit('data', this.#encoding === undefined ? this.#body : this.#body.toString(this.#encoding));
      this.emit('end');
      this.emit('close');
    });
  }
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    if (this.#body.length > 0) yield this.#body;
  }
}

export class ServerResponse extends EventEmitter {
  statusCode = 200;
  headersSent = false;
  writableEnded = false;
  readonly #headers = new Map<string, string>();
  readonly #parts: Buffer[] = [];
  readonly #id: number;
  constructor(id: number) {
    super();
    this.#id = id;
  }
  setHeader(name: string, value: unknown): this {
    this.#headers.set(name.toLowerCase(), String(value));
    return this;
  }
  getHeader(name: string): string | undefined {
    return this.#headers.get(name.toLowerCase());
  }
  removeHeader(name: string): void {
    this.#headers.delete(name.toLowerCase());
  }
  writeHead(status: number, ...rest: unknown[]): this {
    this.statusCode = status;
    const headers = rest.at(-1);
    if (typeof headers === 'object' && headers !== null)
      for (const [name, value] of Object.entries(headers)) this.setHeader(name, value);
    return this;
  }
  write(part: unknown): boolean {
    this.headersSent = true;
    this.#parts.push(part instanceof Uint8Array ? toBuffer(part) : Buffer.from(String(part)));
    return true;
  }
  end(part?: unknown): this {
    if (this.writableEnded) return this;
    if (part !== undefined && part !== null && typeof part !== 'function') this.write(part);
    this.writableEnded = true;
    const response = { status: this.statusCode, headers: Array.from(this.#headers), body: Buffer.concat(this.#parts) };
    call('respond', { id: this.#id, response });
    this.emit('finish');
    return this;
  }
}

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

export class Server extends EventEmitter {
  #port = 0;
  #close: (() => void) | undefined;
  constructor(handler?: Handler) {
    super();
    if (handler !== undefined) this.on('request', handler as never);
  }
  listen(...args: unknown[]): this {
    const [first] = args;
    const wanted = typeof first === 'object' && first !== null && 'port' in first ? first.port : first;
    const { server, port } = call('listen', { port: typeof wanted === 'function' ? 0 : Number(wanted ?? 0) });
    this.#port = port;
    const stop = onRequest(server, (id, request) => {
      const incoming = new IncomingMessage(request);
      this.emit('request', incoming, new ServerResponse(id));
      incoming.deliver();
    });
    this.#close = () => {
      stop();
      call('unlisten', { server });
    };
    const done = args.find(arg => typeof arg === 'function') as (() => void) | undefined;
    queueMicrotask(() => {
      this.emit('listening');
      done?.();
    });
    return this;
  }
  address(): object {
    return { address: '0.0.0.0', family: 'IPv4', port: this.#port };
  }
  close(done?: () => void): this {
    this.#close?.();
    this.#close = undefined;
    queueMicrotask(() => {
      this.emit('close');
      done?.();
    });
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}

export async function fetch(
  input: unknown,
  init: { method?: string; headers?: unknown; body?: unknown } = {},
): Promise<Response> {
  const body =
    init.body === undefined || init.body === null
      ? new Uint8Array(0)
      : init.body instanceof Uint8Array
        ? init.body
        : Buffer.from(String(init.body));
  const request = {
    url: String(input),
    method: (init.method ?? 'GET').toUpperCase(),
    headers: pairsOf(init.headers),
    body,
  };
  try {
    return new Response(await later<HttpResponse>(id => void call('startHttp', { id, ...request })));
  } catch (cause) {
    throw new TypeError(`fetch failed: ${cause instanceof Error ? cause.message : ''}`, { cause });
  }
}

export class Response {
  readonly status: number;
  readonly ok: boolean;
  readonly statusText = '';
  readonly headers: Headers;
  readonly #body: Buffer;
  constructor({ status, headers, body }: HttpResponse) {
    this.status = status;
    this.ok = status >= 200 && status < 300;
    this.headers = new Headers(headers);
    this.#body = toBuffer(body);
  }
  async text(): Promise<string> {
    return this.#body.toString();
  }
  async json(): Promise<unknown> {
    return JSON.parse(this.#body.toString());
  }
  async arrayBuffer(): Promise<ArrayBuffer> {
    return Uint8Array.from(this.#body).buffer;
  }
  async bytes(): Promise<Uint8Array> {
    return Uint8Array.from(this.#body);
  }
}

function pairsOf(headers: unknown): Pairs {
  if (headers instanceof Headers) return Array.from(headers);
  if (Array.isArray(headers)) return headers.map(([name, value]) => [String(name), String(value)]);
  return Object.entries((headers ?? {}) as object).map(([name, value]) => [name, String(value)]);
}

class ClientRequest extends EventEmitter {
  readonly #options: { url: string; method: string; headers: Pairs };
  readonly #parts: Buffer[] = [];
  constructor(
    options: { url: string; method: string; headers: Pairs },
    listener?: (response: IncomingMessage) => void,
  ) {
    super();
    this.#options = options;
    if (listener !== undefined) this.once('response', listener as never);
  }
  setHeader(name: string, value: unknown): void {
    this.#options.headers.push([name, String(value)]);
  }
  write(part: unknown): boolean {
    this.#parts.push(part instanceof Uint8Array ? toBuffer(part) : Buffer.from(String(part)));
    return true;
  }
  end(part?: unknown): this {
    if (part !== undefined) this.write(part);
    later<HttpResponse>(id => void call('startHttp', { id, ...this.#options, body: Buffer.concat(this.#parts) })).then(
      response => {
        const incoming = new IncomingMessage(response);
        this.emit('response', incoming);
        incoming.deliver();
      },
      error => this.emit('error', error),
    );
    return this;
  }
}

function request(...args: unknown[]): ClientRequest {
  const listener = args.find(arg => typeof arg === 'function') as ((response: IncomingMessage) => void) | undefined;
  const options = (args.find(arg => typeof arg === 'object' && arg !== null && !('href' in arg)) ?? {}) as Record<
    string,
    unknown
  >;
  const given = args.find(arg => typeof arg === 'string' || (typeof arg === 'object' && arg !== null && 'href' in arg));
  const host = String(options.hostname ?? options.host ?? 'localhost');
  const url =
    given === undefined ? `http://${host}:${String(options.port ?? 80)}${String(options.path ?? '/')}` : String(given);
  return new ClientRequest(
    { url, method: String(options.method ?? 'GET'), headers: pairsOf(options.headers) },
    listener,
  );
}

export const http = {
  createServer: (...args: unknown[]) => new Server(args.find(arg => typeof arg === 'function') as Handler | undefined),
  request,
  get: (...args: unknown[]) => request(...args).end(),
  Server,
  IncomingMessage,
  ServerResponse,
  STATUS_CODES: {
    200: 'OK',
    201: 'Created',
    204: 'No Content',
    400: 'Bad Request',
    404: 'Not Found',
    500: 'Internal Server Error',
  },
};
