// A connection that is parsed in small pieces. Node parses all that it has received from a connection in one step; a packet
// of 64 kB may hold thousands of requests, headers or chunks, and many connections may send one at the same time. Here each
// piece waits for its turn, and the next request of a connection is parsed when the response to the last one is complete.
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { addressGroup } from './auth/addresses.ts';
import type { Parsed, ParsingTurns } from './parsing.ts';
import { countPieces } from './pieces.ts';

/** Usual requests fit in one piece, and no piece takes more than a few milliseconds to parse. */
const PIECE_BYTES = 2_048;
/** The bytes of a body without chunks take no time to parse. */
const BODY_PIECE_BYTES = 65_536;
const END_OF_HEADERS = '\r\n\r\n';
/** A connection with this much unparsed data is not read, so its client cannot send more, until a part is parsed. */
const MAX_HELD_BYTES = 131_072;
/** Counted for each packet, because packets may be small. */
const PACKET_BYTES = 512;
/** Beyond this limit for all connections together, none with unparsed data is read until half of it is parsed. */
const MAX_HELD_BYTES_IN_ALL = 16_777_216;
/** Maximum number of requests, of all connections, that were parsed together with an earlier one and wait for it. */
const MAX_WAITING_IN_ALL = 4_000;
/** A client that has sent all it wants to may close its side before it reads. Most that close theirs have left. */
const LEAVING_MS = 100;
/** How long a connection with unread data stays open after its last response, so that the client can read it. */
const LINGER_MS = 500;

/** What all connections of a server share. */
type Intake = {
  readonly turns: ParsingTurns;
  readonly open: Set<Connection>;
  heldBytes: number;
  isFull: boolean;
  waiting: number;
};

/** Node's HTTP server uses it in place of the socket. */
class Connection extends Duplex implements Parsed {
  readonly address: string;
  readonly #socket: Socket;
  readonly #intake: Intake;
  #held: Buffer[] = [];
  /** Memory of `#held`. */
  #heldBytes = 0;
  /** Whether the parser takes more. */
  #wants = false;
  #hasEnded = false;
  #isLast = false;
  #request: IncomingMessage | undefined;
  /** How much of the body of the request is not parsed; 0 if it is in chunks. */
  #bodyBytes = 0;
  #isBusy = false;
  #waiting: (() => void)[] = [];

  constructor(socket: Socket, intake: Intake) {
    super({ readableHighWaterMark: BODY_PIECE_BYTES, allowHalfOpen: true });
    this.#socket = socket;
    this.#intake = intake;
    this.address = addressGroup(socket.remoteAddress);
    intake.open.add(this);
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

  /** Whether data was received that is not parsed. */
  get isHolding(): boolean {
    return this.#heldBytes > 0;
  }

  /** Calls `begin` when the responses to all earlier requests of this connection are complete. */
  serve(request: IncomingMessage, response: ServerResponse, begin: () => void): void {
    this.#request = request;
    this.#bodyBytes = Number(request.headers['content-length'] ?? 0);
    const start = () => {
      this.#isBusy = true;
      response.once('close', () => {
        this.#isBusy = false;
        if (this.destroyed) return;
        this.#startNext();
        this.#proceed();
      });
      begin();
    };
    if (!this.#isBusy) start();
    else {
      this.#waiting.push(start);
      this.#intake.waiting += 1;
      if (this.#intake.waiting > MAX_WAITING_IN_ALL) this.destroy();
    }
  }

  /** Reads from the socket, or stops reading, depending on how much waits to be parsed. */
  regulate(): void {
    if (this.#isLast || this.#heldBytes < (this.#intake.isFull ? 1 : MAX_HELD_BYTES)) this.#socket.resume();
    else this.#socket.pause();
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
    this.#intake.open.delete(this);
    this.#intake.waiting -= this.#waiting.length;
    this.#waiting = [];
    this.#discard();
    this.#socket.destroy();
    done(fault);
  }

  #receive(data: Buffer): void {
    if (this.#isLast) return;
    this.#held.push(data);
    this.#hold(data.length + PACKET_BYTES);
    this.#proceed();
    this.regulate();
  }

  #receiveEnd(): void {
    this.#hasEnded = true;
    if (this.#isLast) this.destroy();
    else if (this.#isBusy) setTimeout(() => this.#endInTurn(() => this.#leave()), LEAVING_MS).unref();
    else this.#proceed();
  }

  /** Node ends the open request when it has read the end of the connection. */
  #leave(): void {
    this.#discard();
    this.push(null);
  }

  #hold(bytes: number): void {
    this.#heldBytes += bytes;
    const intake = this.#intake;
    intake.heldBytes += bytes;
    const limit = intake.isFull ? MAX_HELD_BYTES_IN_ALL / 2 : MAX_HELD_BYTES_IN_ALL;
    const isFull = intake.heldBytes >= limit;
    if (isFull === intake.isFull) return;
    intake.isFull = isFull;
    for (const connection of intake.open) connection.regulate();
  }

  #discard(): void {
    this.#held = [];
    this.#hold(-this.#heldBytes);
  }

  #startNext(): void {
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#intake.waiting -= 1;
    next();
  }

  /** Whether the next bytes belong to a request that must wait for the response to an earlier one. */
  #isPipelining(): boolean {
    return this.#isBusy && this.#request?.complete === true;
  }

  #mayParse(): boolean {
    return this.#wants && this.isHolding && !this.destroyed && !this.#isPipelining();
  }

  #proceed(): void {
    if (this.#mayParse()) this.#intake.turns.enter(this);
    else if (this.#hasEnded && !this.isHolding && !this.#isBusy) this.push(null);
  }

  /** Many clients may leave at the same time. */
  #endInTurn(end: () => void): void {
    if (this.destroyed) return;
    this.#intake.turns.end(() => {
      if (!this.destroyed) end();
    });
  }

  parse(): boolean {
    if (!this.#mayParse()) return false;
    this.#wants = this.push(this.#nextPiece());
    this.regulate();
    if (this.#mayParse()) return true;
    this.#proceed();
    return false;
  }

  #nextPiece(): Buffer {
    const [data = Buffer.alloc(0)] = this.#held;
    const piece = data.subarray(0, this.#lengthOf(data));
    const isWhole = piece.length === data.length;
    if (isWhole) this.#held.shift();
    else this.#held[0] = data.subarray(piece.length);
    this.#hold(-piece.length - (isWhole ? PACKET_BYTES : 0));
    this.#bodyBytes = Math.max(0, this.#bodyBytes - piece.length);
    return piece;
  }

  /** Ends with the headers of a request, so that the next one is not parsed before its turn. */
  #lengthOf(data: Buffer): number {
    if (this.#request?.complete === false)
      return this.#bodyBytes > 0 ? Math.min(this.#bodyBytes, BODY_PIECE_BYTES) : PIECE_BYTES;
    const end = data.subarray(0, PIECE_BYTES).indexOf(END_OF_HEADERS);
    return end < 0 ? PIECE_BYTES : end + END_OF_HEADERS.length;
  }

  /** A connection that is closed while the client still sends is reset, and the client may lose the response. */
  #linger(): void {
    if (this.#hasEnded || (!this.isHolding && this.#request?.complete !== false)) return void this.destroy();
    this.#isLast = true;
    this.#discard();
    this.regulate();
    setTimeout(() => this.destroy(), LINGER_MS).unref();
  }
}

/** Makes the server read its connections in pieces. Call it before the server listens. */
export function readInPieces(server: Server, turns: ParsingTurns): void {
  const intake: Intake = { turns, open: new Set(), heldBytes: 0, isFull: false, waiting: 0 };
  const accept = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    turns.arrived();
    const connection = new Connection(socket, intake);
    for (const listener of accept) listener.call(server, connection);
  });
}

/** Handles one request per connection at a time, in their order. */
export const oneAtATime =
  (listener: RequestListener): RequestListener =>
  (request, response) => {
    countPieces(request);
    // Node's type is Socket.
    (request.socket as Duplex as Connection).serve(request, response, () => listener(request, response));
  };
