// Answers requests that Node would answer with only a status, or not at all: those that its parser refuses, those that take
// too long to arrive, and CONNECT. Each gets an error of the registry, an id and a log line; its content is not read.
import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { ERRORS, type ErrorCode } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { RequestRecord } from './observe.ts';

type UnreadableOptions = { readonly log: Logger; readonly onRequest?: (record: RequestRecord) => void };

/** How long a connection stays open after the error response, so that a client that is still sending can read it. */
const LINGER_MS = 500;

/** Undefined: the connection is broken, so no response can be read. */
function codeOf(reason: string | undefined): ErrorCode | undefined {
  if (reason === 'HPE_HEADER_OVERFLOW') return 'headers_too_large';
  if (reason === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request_timeout';
  return reason?.startsWith('HPE_') === true ? 'request_malformed' : undefined;
}

export function answerUnreadable(server: Server, { log, onRequest }: UnreadableOptions): void {
  /** By connection. Finished ones are deleted, because V8 keeps the values of a WeakMap until a full garbage collection. */
  const latest = new WeakMap<Duplex, { readonly request: IncomingMessage; readonly response: ServerResponse }>();
  const refused = new WeakSet<Duplex>();

  const refuse = (socket: Duplex, code: ErrorCode, reason: string): void => {
    const requestId = randomUUID();
    const { status } = ERRORS[code];
    const ip = (socket as { remoteAddress?: string }).remoteAddress;
    log.warn({ req: { id: requestId, ip }, status, code, reason }, 'request');
    onRequest?.({ method: 'unknown', route: 'other', status, durationMs: 0 });
    socket.end(textOf(code, requestId), () => setTimeout(() => socket.destroy(), LINGER_MS).unref());
  };

  server.on('request', (request, response) => {
    const exchange = { request, response };
    latest.set(request.socket, exchange);
    response.once('close', () => {
      if (latest.get(request.socket) === exchange) latest.delete(request.socket);
    });
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const code = codeOf(error.code);
    if (refused.has(socket)) return;
    refused.add(socket);
    const { request, response } = latest.get(socket) ?? {};
    const isOpen = response !== undefined && !response.writableFinished;
    if (code === undefined || !socket.writable || (isOpen && response.headersSent && !request?.complete)) {
      socket.destroy();
      return;
    }
    const act = () => refuse(socket, code, error.code ?? '');
    // Sent earlier, the error would be taken as the response to the previous request.
    if (isOpen && request?.complete) response.once('finish', act);
    else act();
  });
  server.on('connect', (_request, socket) => {
    // Node removes its error listener from such a socket; without ours, a reset by the client would end the process.
    socket.on('error', () => socket.destroy());
    refuse(socket, 'method_not_allowed', 'CONNECT');
  });
}

function textOf(code: ErrorCode, requestId: string): string {
  const { status, message } = ERRORS[code];
  const body = JSON.stringify({ error: { code, requestId, message } });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    `X-Request-Id: ${requestId}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
