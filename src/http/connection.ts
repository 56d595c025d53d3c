// A connection that is parsed in small pieces. Node parses all that it has received from a connection in one step; a packet
// of 64 kB may hold thousands of requests, headers or chunks, and many connections may send one at the same time. Here each
// piece waits for its turn, and the next request of a connection is parsed when the response to the last one is complete.
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { freeBuffers } from '../ground/free-buffers.ts';
import { addressGroup } from './auth/addresses.ts';
import type { DataKind, Parsed, ParsingTurns } from './parsing.ts';
import { countPieces } from './pieces.ts';
import { AllUnparsed, Unparsed } from './unparsed.ts';

/** Usual requests fit in one piece, and no piece takes more than a few milliseconds to parse. */
const PIECE_BYTES = 2_048;
/** The bytes of a body without chunks take no time to parse. */
const BODY_PIECE_BYTES = 65_536;
/** The paths of health checks. */
export const PROBES: readonly string[] = ['/healthz', '/readyz'];
/** How the request of a health check begins. */
const PROBE = new RegExp(`^(?:GET|HEAD) (?:${PROBES.join('|')})[ ?]`);
const PROBE_BYTES = 16;
const END_OF_HEADERS = '\r\n\r\n';
/** Maximum number of requests, of all connections, that were parsed together with an earlier one and wait for it. */
const MAX_WAITING_IN_ALL = 4_000;
/** How long a client that has closed its side waits for a response. Most that close theirs have left. */
const LEAVING_MS = 100;
/** How long a connection with unread data stays open after its last response, so that the client can read it. */
const LINGER_MS = 500;

/** What all connections of a server share. */
type Shared = { readonly turns: ParsingTurns; readonly unparsed: AllUnparsed; waiting: number };

/** Node's HTTP server uses it in place of the socket. */
class Connection extends Duplex implements Parsed {
  readonly address: string;
  readonly #socket: Socket;
  readonly #shared: Shared;
  readonly #unparsed: Unparsed;
  /** Whether the parser takes more. */
  #wants = false;
  #hasEnded = false;
  #leaveTimer: NodeJS.Timeout | undefined;
  #isLast = false;
  #request: IncomingMessage | undefined;
  /** How much of the body of the request is not parsed; 0 if it is in chunks. */
  #bodyBytes = 0;
  #isBusy = false;
  /** Whether the client sent the request before it had the response to the last one. MCP clients do not. */
  isPipelined = false;
  /** Whether the last request was of a caller that had sent others before. Clients keep their connection. */
  isOfKnownCaller = false;
  #waiting: (() => void)[] = [];

  constructor(socket: Socket, shared: Shared) {
    super({ readableHighWaterMark: BODY_PIECE_BYTES, allowHalfOpen: true });
    this.#socket = socket;
    this.#shared = shared;
    this.#unparsed = new Unparsed(socket, shared.unparsed);
    this.address = addressGroup(socket.remoteAddress);
    socket
      .on('data', data => this.#receive(data))
      .on('end', () => this.#receiveEnd())
      .on('error', fault => this.#endInTurn(() => this.destroy(fault)))
      .on('close', () => this.#endInTurn(() => this.destroy()))
      .on('timeout', () => this.emit('timeout'));
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  get dataKind(): DataKind {
    if (this.#isInRequest || this.isPipelined) return 'rest';
    if (PROBE.test(this.#unparsed.first.toString('latin1', 0, PROBE_BYTES))) return 'probe';
    return this.isOfKnownCaller ? 'known' : 'beginning';
  }

  /** Calls `begin` when the responses to all earlier requests of this connection are complete. */
  serve(request: IncomingMessage, response: ServerResponse, begin: () => void): void {
    this.#request = request;
    this.#bodyBytes = Number(request.headers['content-length'] ?? 0);
    const start = () => {
      this.#isBusy = true;
      if (this.#hasEnded) this.#leaveSoon();
      response.once('close', () => {
        this.#isBusy = false;
        clearTimeout(this.#leaveTimer);
        this.isPipelined = !this.#unparsed.isEmpty || this.#waiting.length > 0;
        if (this.destroyed) return;
        this.#startNext();
        this.#proceed();
      });
      begin();
    };
    if (!this.#isBusy) start();
    else {
      this.#waiting.push(start);
      this.#shared.waiting += 1;
      if (this.#shared.waiting > MAX_WAITING_IN_ALL) this.destroy();
    }
  }

  setTimeout(timeoutMs: number, onTimeout?: () => void): this {
    this.#socket.setTimeout(timeoutMs);
    if (onTimeout !== undefined) this.once('timeout', onTimeout);
    return this;
  }

  /** Node calls it after the last response: closes the connection when all is written. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.#linger();
    else this.once('finish', () => this.#linger());
  }

  override _read(): void {
    this.#wants = true;
    this.#proceed();
  }

  override _write(data: Buffer, encoding: BufferEncoding, done: (fault?: Error | null) => void): void {
    this.#socket.write(data, encoding, done);
  }

  override _writev(parts: { chunk: Buffer; encoding: BufferEncoding }[], done: (fault?: Error | null) => void): void {
    this.#socket.cork();
    const last = parts.length - 1;
    for (const [i, { chunk, encoding }] of parts.entries())
      this.#socket.write(chunk, encoding, i === last ? done : undefined);
    this.#socket.uncork();
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(fault: Error | null, done: (fault: Error | null) => void): void {
    this.#shared.waiting -= this.#waiting.length;
    this.#waiting = [];
    this.#unparsed.close();
    this.#socket.destroy();
    done(fault);
  }

  #receive(data: Buffer): void {
    if (this.#isLast) {
      this.#drop(data);
      return;
    }
    this.#unparsed.push(data);
    this.#proceed();
    this.#unparsed.regulate();
  }

  /** Frees the memory at once: a refused client may send much more, and V8 would collect garbage for every few megabytes. */
  #drop({ buffer, length }: Buffer): void {
    if (buffer instanceof ArrayBuffer && buffer.byteLength === length) freeBuffers([buffer]);
  }

  #receiveEnd(): void {
    this.#hasEnded = true;
    if (this.#isLast) this.destroy();
    else if (this.#isBusy) this.#leaveSoon();
    else this.#proceed();
  }

  #leaveSoon(): void {
    this.#leaveTimer = setTimeout(() => this.#endInTurn(() => this.#leave()), LEAVING_MS).unref();
  }

  /** Node ends the open request when it has read the end of the connection. */
  #leave(): void {
    this.#unparsed.discard();
    this.push(null);
  }

  #startNext(): void {
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#shared.waiting -= 1;
    next();
  }

  /** Whether the next bytes belong to a request that must wait for the response to an earlier one. */
  #isPipelining(): boolean {
    return this.#isBusy && this.#request?.complete === true;
  }

  /** Whether the next bytes belong to the body of the last request. */
  get #isInRequest(): boolean {
    return this.#request?.complete === false;
  }

  get #hasSmallBody(): boolean {
    return this.#isInRequest && this.#bodyBytes > 0 && this.#bodyBytes <= PIECE_BYTES;
  }

  #mayParse(): boolean {
    return this.#wants && !this.#unparsed.isEmpty && !this.destroyed && !this.#isPipelining();
  }

  #proceed(): void {
    if (this.#mayParse()) this.#shared.turns.enter(this);
    else if (this.#hasEnded && this.#unparsed.isEmpty && !this.#isBusy) this.push(null);
  }

  /** Many clients may leave at the same time. */
  #endInTurn(end: () => void): void {
    if (this.destroyed) return;
    this.#shared.turns.end(() => {
      if (!this.destroyed) end();
    });
  }

  parse(): boolean {
    if (!this.#mayParse()) return false;
    this.#wants = this.push(this.#nextPiece());
    // The body of a usual request comes with its headers, and need not wait for another turn.
    if (this.#mayParse() && this.#hasSmallBody) this.#wants = this.push(this.#nextPiece());
    this.#unparsed.regulate();
    if (this.#mayParse()) return true;
    this.#proceed();
    return false;
  }

  #nextPiece(): Buffer {
    const piece = this.#unparsed.take(this.#lengthOf(this.#unparsed.first));
    this.#bodyBytes = Math.max(0, this.#bodyBytes - piece.length);
    return piece;
  }

  /** Ends with the headers of a request, so that the next one is not parsed before its turn. */
  #lengthOf(data: Buffer): number {
    if (this.#isInRequest) return this.#bodyBytes > 0 ? Math.min(this.#bodyBytes, BODY_PIECE_BYTES) : PIECE_BYTES;
    const end = data.subarray(0, PIECE_BYTES).indexOf(END_OF_HEADERS);
    return end < 0 ? PIECE_BYTES : end + END_OF_HEADERS.length;
  }

  /** A connection that is closed while the client still sends is reset, and the client may lose the response. */
  #linger(): void {
    if (this.#hasEnded || (this.#unparsed.isEmpty && !this.#isInRequest)) return void this.destroy();
    this.#isLast = true;
    this.#unparsed.discard();
    this.#socket.resume();
    setTimeout(() => this.destroy(), LINGER_MS).unref();
  }
}

/** Makes the server read its connections in pieces. Call it before the server listens. */
export function readInPieces(server: Server, turns: ParsingTurns): void {
  const shared: Shared = { turns, unparsed: new AllUnparsed(), waiting: 0 };
  const accept = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    const connection = new Connection(socket, shared);
    for (const listener of accept) listener.call(server, connection);
  });
}

/** Handles one request per connection at a time, in their order. */
export const oneAtATime =
  (listener: RequestListener): RequestListener =>
  (request, response) => {
    countPieces(request);
    connectionOf(request).serve(request, response, () => listener(request, response));
  };

/** Node's type is Socket. */
const connectionOf = ({ socket }: Pick<IncomingMessage, 'socket'>): Connection => socket as Duplex as Connection;

export function noteCaller(request: Pick<IncomingMessage, 'socket'>, isKnown: boolean): void {
  connectionOf(request).isOfKnownCaller = isKnown;
}

export const isPipelined = (request: Pick<IncomingMessage, 'socket'>): boolean => connectionOf(request).isPipelined;
