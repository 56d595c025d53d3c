// Node's http (servers and clients), over the sandbox's own ports.
import { EventEmitter } from 'events/';
import { Readable, Writable } from 'readable-stream';
import type { LocalRequest, LocalResponse } from '../../../machine/machine.ts';
import { pairsOf } from './fetch.ts';
import { call } from './host.ts';
import { later, serve } from './loop.ts';

class IncomingMessage extends Readable {
  constructor({ headers, body, ...message }: LocalRequest | LocalResponse) {
    super({ read: () => {} });
    const { method, path, status } = message as Partial<LocalRequest & LocalResponse>;
    const named = Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value]));
    const fixed = { httpVersion: '1.1', socket: { remoteAddress: '127.0.0.1' } };
    Object.assign(this, { method, url: path, statusCode: status, headers: named, ...fixed });
    if (body.length > 0) this.push(body);
    this.push(null);
  }
}

/** What is written is kept, and sent whole at the end. */
class OutgoingMessage extends Writable {
  send: (headers: [string, string][], body: Uint8Array) => void = () => {};
  headersSent = false;
  readonly #pairs = new Map<string, string>();
  readonly #parts: Uint8Array[] = [];
  setHeader(name: string, value: unknown): this {
    this.#pairs.set(name.toLowerCase(), String(value));
    return this;
  }
  getHeader(name: string): string | undefined {
    return this.#pairs.get(name.toLowerCase());
  }
  removeHeader(name: string): void {
    this.#pairs.delete(name.toLowerCase());
  }
  setHeaders(headers: unknown): void {
    for (const [name, value] of pairsOf(headers)) this.setHeader(name, value);
  }
  override _write(part: Uint8Array, _encoding: string, done: () => void): void {
    this.headersSent = true;
    this.#parts.push(part);
    done();
  }
  override _final(done: () => void): void {
    this.headersSent = true;
    this.send(Array.from(this.#pairs), Buffer.concat(this.#parts));
    done();
  }
}

class ServerResponse extends OutgoingMessage {
  statusCode = 200;
  constructor(id: number) {
    super();
    this.send = (headers, body) => void call('respond', { id, response: { status: this.statusCode, headers, body } });
  }
  writeHead(status: number, ...rest: unknown[]): this {
    this.statusCode = status;
    const headers = rest.at(-1);
    if (typeof headers === 'object') this.setHeaders(headers);
    return this;
  }
}

type Handler = (...args: unknown[]) => void;
const functionIn = (args: unknown[]) => args.find(arg => typeof arg === 'function') as Handler | undefined;

class Server extends EventEmitter {
  #open: ReturnType<typeof serve> | undefined;
  constructor(handler?: Handler) {
    super();
    if (handler !== undefined) this.on('request', handler);
  }
  listen(...args: unknown[]): this {
    const [first] = args;
    const wanted = typeof first === 'object' && first !== null && 'port' in first ? first.port : first;
    this.#open = serve(typeof wanted === 'function' ? 0 : Number(wanted ?? 0), (id, request) => {
      this.emit('request', new IncomingMessage(request), new ServerResponse(id));
    });
    return this.#soon('listening', functionIn(args));
  }
  address(): object {
    return { address: '0.0.0.0', family: 'IPv4', port: this.#open?.port };
  }
  close(done?: () => void): this {
    this.#open?.close();
    this.#open = undefined;
    return this.#soon('close', done);
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
  #soon(event: string, done: (() => void) | undefined): this {
    if (done !== undefined) this.once(event, done);
    queueMicrotask(() => this.emit(event));
    return this;
  }
}

type Options = { hostname?: string; host?: string; port?: number; path?: string; method?: string; headers?: unknown };

function request(...args: unknown[]): OutgoingMessage {
  const isUrl = (arg: unknown) => typeof arg === 'string' || (typeof arg === 'object' && arg !== null && 'href' in arg);
  const options = (args.find(arg => typeof arg === 'object' && !isUrl(arg)) ?? {}) as Options;
  const { hostname, host = 'localhost', port = 80, path = '/', method = 'GET' } = options;
  const url = String(args.find(isUrl) ?? `http://${hostname ?? host}:${port}${path}`);
  const made = new OutgoingMessage();
  made.setHeaders(options.headers);
  made.send = (headers, body) => {
    later('http', { url, method, headers, body }).then(
      response => made.emit('response', new IncomingMessage(response)),
      error => made.emit('error', error),
    );
  };
  const listener = functionIn(args);
  if (listener !== undefined) made.once('response', listener);
  return made;
}

export const http = {
  createServer: (...args: unknown[]) => new Server(functionIn(args)),
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
