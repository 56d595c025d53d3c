// MCP over a pair of streams, one message per line. Does more than the SDK's transport because clients need it: a line
// that is not JSON or is too long is answered with an error, a byte order mark is skipped, and responses that are not
// ready yet are still written after the client has closed its end. Stops reading from a client that does not read its
// responses.
import { isUtf8 } from 'node:buffer';
import type { Readable, Writable } from 'node:stream';
import { type JSONRPCMessage, parseJSONRPCMessage, type Transport } from '@modelcontextprotocol/server';
import { GatewayError } from './errors.ts';
import { describeExcess, judgeJson } from './ground/json-size.ts';
import { MESSAGE_SHAPE, normalizeMessage, requestIdIn } from './mcp/message.ts';
import { rpcCodeOf } from './mcp/rpc-errors.ts';

const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = '\ufeff';
/** Limits of unread and of missing responses. Beyond either, reading stops until the client has read its responses. */
const MAX_UNREAD_BYTES = 4_000_000;
const MAX_UNANSWERED = 1_000;

export type LineStreams = { readonly input: Readable; readonly output: Writable };

export class LineTransport implements Transport {
  onmessage?: NonNullable<Transport['onmessage']>;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  /** Resolves when the client has closed its end and every request it sent has been answered. */
  readonly finished: Promise<void>;
  /** Resolves when the first message has been answered. */
  readonly answered: Promise<void>;

  readonly #input: Readable;
  readonly #output: Writable;
  readonly #maxLineBytes: number;
  /** Id -> number of open requests with it, because a client may use an id twice. */
  readonly #unanswered = new Map<string | number, number>();
  #unansweredCount = 0;
  #pieces: Buffer[] = [];
  #pieceBytes = 0;
  /** True while the rest of a line that was too long is skipped. */
  #dropping = false;
  #inputEnded = false;
  #closed = false;
  #finish: () => void = () => {};
  #answer: () => void = () => {};

  constructor({ input, output }: LineStreams, maxLineBytes: number) {
    this.#input = input;
    this.#output = output;
    this.#maxLineBytes = maxLineBytes;
    this.finished = new Promise(resolve => {
      this.#finish = resolve;
    });
    this.answered = new Promise(resolve => {
      this.#answer = resolve;
    });
  }

  async start(): Promise<void> {
    this.#input.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#input.once('end', () => this.#end());
    this.#input.once('close', () => this.#end());
    this.#input.on('error', error => this.onerror?.(error));
    this.#output.on('drain', () => this.#readOn());
    // The client has stopped reading, so responses can no longer be delivered.
    this.#output.once('error', () => this.#finish());
  }

  async send(message: JSONRPCMessage): Promise<void> {
    await this.#write(message);
    if ('id' in message && !('method' in message) && message.id !== undefined) {
      this.#settle(message.id);
      this.#answer();
    }
    this.#finishWhenAnswered();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#input.removeAllListeners('data');
    this.#input.pause();
    this.onclose?.();
  }

  #read(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      this.#keep(chunk.subarray(from, end));
      this.#line();
      from = end + 1;
    }
    this.#keep(chunk.subarray(from));
  }

  #keep(piece: Buffer): void {
    if (this.#dropping) return;
    this.#pieces.push(piece);
    this.#pieceBytes += piece.length;
    if (this.#pieceBytes <= this.#maxLineBytes) return;
    this.#dropping = true;
    [this.#pieces, this.#pieceBytes] = [[], 0];
    this.#refuse(
      null,
      new GatewayError(
        'body_too_large',
        `A message may have at most ${this.#maxLineBytes} bytes; this line is longer and was dropped.`,
      ),
    );
  }

  #line(): void {
    const bytes = Buffer.concat(this.#pieces);
    const text = bytes.toString('utf8').replace(BYTE_ORDER_MARK, '').trim();
    [this.#pieces, this.#pieceBytes] = [[], 0];
    const dropped = this.#dropping;
    this.#dropping = false;
    if (dropped || text === '') return;
    let parsed: unknown;
    try {
      // Invalid bytes are refused, because replacing them would change the code that the client sent.
      if (!isUtf8(bytes)) throw new GatewayError('body_invalid', 'The message is not UTF-8 text.');
      parsed = parseLine(text);
      const message = parseJSONRPCMessage(normalizeMessage(parsed));
      if ('method' in message && 'id' in message) this.#expect(message.id);
      this.onmessage?.(message);
      if ('method' in message && message.method === CANCELLED) this.#giveUp(message.params?.['requestId']);
    } catch (caught) {
      const error =
        caught instanceof GatewayError ? caught : new GatewayError('message_invalid', undefined, { cause: caught });
      this.#refuse(requestIdIn(parsed), error);
    }
  }

  #expect(id: string | number): void {
    this.#unanswered.set(id, (this.#unanswered.get(id) ?? 0) + 1);
    this.#unansweredCount += 1;
    this.#holdBack();
  }

  #settle(id: string | number): void {
    const times = this.#unanswered.get(id);
    if (times === undefined) return;
    if (times > 1) this.#unanswered.set(id, times - 1);
    else this.#unanswered.delete(id);
    this.#unansweredCount -= 1;
    this.#readOn();
  }

  /** Stops waiting for a request that the client has cancelled, because it gets no response. */
  #giveUp(id: unknown): void {
    if (typeof id !== 'string' && typeof id !== 'number') return;
    this.#settle(id);
    this.#finishWhenAnswered();
  }

  get #isFull(): boolean {
    return this.#output.writableLength > MAX_UNREAD_BYTES || this.#unansweredCount > MAX_UNANSWERED;
  }

  #holdBack(): void {
    if (this.#isFull) this.#input.pause();
  }

  #readOn(): void {
    if (!this.#closed && !this.#isFull && this.#input.isPaused()) this.#input.resume();
  }

  #refuse(id: string | number | null, error: GatewayError): void {
    this.onerror?.(error);
    const { code, message } = error;
    void this.#write({ jsonrpc: '2.0', id, error: { code: rpcCodeOf(error), message, data: { code } } });
  }

  #write(message: object): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#output.write(`${JSON.stringify(message)}\n`, error => (error ? reject(error) : resolve()));
      this.#holdBack();
    });
  }

  #end(): void {
    // The last line may lack its line end.
    if (!this.#inputEnded && this.#pieceBytes > 0) this.#line();
    this.#inputEnded = true;
    this.#finishWhenAnswered();
  }

  #finishWhenAnswered(): void {
    if (this.#inputEnded && this.#unanswered.size === 0) this.#finish();
  }
}

const CANCELLED = 'notifications/cancelled';

/** @throws GatewayError body_invalid */
function parseLine(text: string): unknown {
  const verdict = judgeJson(text, { ...MESSAGE_SHAPE, maxBytes: Number.POSITIVE_INFINITY });
  if (!verdict.fits) throw new GatewayError('body_too_large', `The message has ${describeExcess(verdict.excess)}.`);
  try {
    return JSON.parse(text);
  } catch (caught) {
    throw new GatewayError('body_invalid', undefined, { cause: caught });
  }
}
