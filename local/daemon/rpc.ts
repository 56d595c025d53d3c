// The Connect protocol as the sandbox daemon speaks it: JSON codec, unary calls and server streams. Knows framing,
// codes and deadlines; which methods there are, the services say.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gunzipSync } from 'node:zlib';
import type { z } from 'zod';
import { readCapped } from '../../src/ground/read-capped.ts';
import type { User } from '../machine/users.ts';
import { sendJson, writeAll } from './answers.ts';

/** https://connectrpc.com/docs/protocol/#error-codes: code -> HTTP status of a unary error. */
const STATUS = {
  canceled: 499,
  unknown: 500,
  invalid_argument: 400,
  deadline_exceeded: 504,
  not_found: 404,
  already_exists: 409,
  permission_denied: 403,
  resource_exhausted: 429,
  failed_precondition: 400,
  aborted: 409,
  unimplemented: 501,
  internal: 500,
  unavailable: 503,
  unauthenticated: 401,
} as const;

export type RpcCode = keyof typeof STATUS;

export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: RpcCode;
  constructor(code: RpcCode, message: string) {
    super(message);
    this.code = code;
  }
}

export const deadlineExceeded = (): RpcError => new RpcError('deadline_exceeded', 'context deadline exceeded');

/** What a call knows of its request. */
type CallInfo = {
  /** From Basic authorization: whose home relative paths start in. */
  readonly user: User;
  /** `connect-timeout-ms`; undefined: no deadline. */
  readonly timeoutMs: number | undefined;
  /** `keepalive-ping-interval`: an idle stream says so, that a dead connection is noticed. */
  readonly keepaliveMs: number;
};

/** Aborts when the deadline of a call has passed. */
export const deadlineSignal = (timeoutMs: number | undefined): AbortSignal =>
  timeoutMs === undefined ? new AbortController().signal : AbortSignal.timeout(timeoutMs);

export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }));
}

type Unary = (request: unknown, info: CallInfo) => Promise<object>;
/**
 * `send` resolves when the client's connection can take more. The stream ends when the method returns; `closed` aborts
 * when the client goes away, its deadline passes or the sandbox stops.
 */
type ServerStream = (request: unknown, info: CallInfo, send: Send, closed: AbortSignal) => Promise<void>;
type Send = (message: object) => Promise<void>;

/** Takes messages as they come and answers once, at their end. */
type ClientStream = (requests: AsyncIterable<unknown>, info: CallInfo) => Promise<object>;

export type Service = {
  readonly unary: Readonly<Record<string, Unary>>;
  readonly streams: Readonly<Record<string, ServerStream>>;
  readonly uploads?: Readonly<Record<string, ClientStream>>;
};

const MAX_MESSAGE_BYTES = 256 * 1024 * 1024;
const DEFAULT_KEEPALIVE_MS = 90_000;

/** `stopped` aborts when the sandbox is paused or killed. `user`: undefined when there is none of that name. */
export async function callService(
  service: Service,
  method: string,
  req: IncomingMessage,
  res: ServerResponse,
  { name, user }: { readonly name: string; readonly user: User | undefined },
  stopped: AbortSignal,
): Promise<void> {
  const unary = own(service.unary, method);
  const stream = own(service.streams, method);
  const upload = own(service.uploads ?? {}, method);
  const type = (req.headers['content-type'] ?? '').split(';', 1)[0]?.trim();
  const expected = unary === undefined ? 'application/connect+json' : 'application/json';
  if (unary === undefined && stream === undefined && upload === undefined) {
    sendError(res, new RpcError('unimplemented', `${method} is not implemented in local mode`));
  } else if (req.method !== 'POST') {
    res.writeHead(405, { allow: 'POST' }).end();
  } else if (type !== expected) {
    res.writeHead(415, { 'accept-post': expected }).end();
  } else if (user === undefined) {
    req.resume();
    const unknown = new RpcError('unauthenticated', `invalid username: '${name}'`);
    if (unary !== undefined) return sendError(res, unknown);
    res.writeHead(200, { 'content-type': expected });
    res.end(envelope(2, failure(unknown)));
  } else {
    const info = { user, timeoutMs: deadlineOf(req), keepaliveMs: keepaliveOf(req) };
    if (unary !== undefined) return answerUnary(unary, req, res, info);
    await answerStream(res, stopped, async (send, closed) => {
      if (upload !== undefined) return send(await upload(messages(req), info));
      const request = await first(messages(req));
      // Not before the message is read: clients of HTTP/1.1 stop sending once an answer comes.
      res.flushHeaders();
      await stream?.(request, info, send, closed);
    });
  }
}

const own = <T>(methods: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(methods, name) ? methods[name] : undefined;

async function answerUnary(call: Unary, req: IncomingMessage, res: ServerResponse, info: CallInfo): Promise<void> {
  try {
    const answer = await call(parse(await readBody(req)), info);
    sendJson(res, 200, answer);
  } catch (caught) {
    sendError(res, toRpcError(caught));
  }
}

async function answerStream(
  res: ServerResponse,
  stopped: AbortSignal,
  call: (send: Send, closed: AbortSignal) => Promise<void>,
): Promise<void> {
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  const closed = AbortSignal.any([gone.signal, stopped]);
  res.setHeader('content-type', 'application/connect+json');
  let end: object = {};
  try {
    await call(async message => {
      if (!closed.aborted) await writeAll(res, envelope(0, message));
    }, closed);
  } catch (caught) {
    end = failure(toRpcError(caught));
  }
  // With the sandbox the stream breaks off, without an end.
  if (stopped.aborted) res.destroy();
  else if (!res.destroyed) res.end(envelope(2, end));
}

const failure = ({ code, message }: RpcError): object => ({ error: { code, message } });

const sendError = (res: ServerResponse, { code, message }: RpcError): void =>
  sendJson(res, STATUS[code], { code, message });

function toRpcError(caught: unknown): RpcError {
  if (caught instanceof RpcError) return caught;
  if (isCoded(caught)) return new RpcError(caught.code, caught.message);
  return new RpcError('internal', caught instanceof Error ? caught.message : 'local mode failed');
}

/** The errors of file trees and shells carry codes that are Connect's own. */
function isCoded(caught: unknown): caught is Error & { code: RpcCode } {
  const known = caught instanceof Error && ['FileError', 'ProcessError'].includes(caught.name);
  return known && 'code' in caught && String(caught.code) in STATUS;
}

function envelope(flags: number, message: object): Uint8Array {
  const json = Buffer.from(JSON.stringify(message));
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt8(flags, 0);
  head.writeUInt32BE(json.length, 1);
  return Buffer.concat([head, json]);
}

/** As they arrive. */
async function* messages(req: IncomingMessage): AsyncGenerator<unknown> {
  let parts: Buffer[] = [];
  let size = 0;
  let needed = HEAD_BYTES;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    parts.push(chunk);
    size += chunk.length;
    if (size < needed) continue;
    let rest = Buffer.concat(parts);
    for (needed = sizeOf(rest); rest.length >= needed; needed = sizeOf(rest)) {
      const message = rest.subarray(HEAD_BYTES, needed);
      yield parse((rest.readUInt8(0) & 1) === 1 ? gunzipSync(message) : message);
      rest = rest.subarray(needed);
    }
    parts = [rest];
    size = rest.length;
  }
  if (size > 0) throw new RpcError('invalid_argument', 'the message is cut off');
}

const HEAD_BYTES = 5;

/** Of the message that begins here, with its head. */
function sizeOf(bytes: Buffer): number {
  const size = bytes.length < HEAD_BYTES ? HEAD_BYTES : HEAD_BYTES + bytes.readUInt32BE(1);
  if (size > MAX_MESSAGE_BYTES) throw tooLarge();
  return size;
}

/** Of those there are; the rest is read to its end. */
async function first(all: AsyncIterable<unknown>): Promise<unknown> {
  let found: { message: unknown } | undefined;
  for await (const message of all) found ??= { message };
  if (found === undefined) throw new RpcError('invalid_argument', 'the request holds no message');
  return found.message;
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.length === 0 ? '{}' : body.toString('utf8'));
  } catch {
    throw new RpcError('invalid_argument', 'the message is not JSON');
  }
}

const tooLarge = (): RpcError => new RpcError('resource_exhausted', 'the message is too large');

async function readBody(req: IncomingMessage): Promise<Buffer> {
  const body = await readCapped(req as AsyncIterable<Buffer>, { maxBytes: MAX_MESSAGE_BYTES, tooLarge });
  return req.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
}

/** The message of a request, checked. @throws RpcError invalid_argument */
export function read<T extends z.ZodType>(schema: T, request: unknown): z.infer<T> {
  const parsed = schema.safeParse(request);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new RpcError('invalid_argument', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`);
}

function deadlineOf(req: IncomingMessage): number | undefined {
  const value = Number(req.headers['connect-timeout-ms']);
  return Number.isFinite(value) && value > 0 ? value : undefined;
}

function keepaliveOf(req: IncomingMessage): number {
  const seconds = Number(req.headers['keepalive-ping-interval'] ?? Number.NaN);
  return Number.isInteger(seconds) && seconds > 0 ? seconds * 1000 : DEFAULT_KEEPALIVE_MS;
}
