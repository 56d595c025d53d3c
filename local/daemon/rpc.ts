// The Connect protocol as the sandbox daemon speaks it: JSON codec, unary calls, server streams and client streams. Knows
// framing, codes, deadlines and keepalives; which methods there are, the services say.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { Code, ConnectError } from '@connectrpc/connect';
import { compressedFlag, encodeEnvelope, transformSplitEnvelope } from '@connectrpc/connect/protocol';
import { codeFromString, codeToHttpStatus, codeToString, endStreamFlag } from '@connectrpc/connect/protocol-connect';
import type { z } from 'zod';
import { readCapped } from '../../src/ground/read-capped.ts';
import { Failure, type FailureCode } from '../machine/failure.ts';
import type { User } from '../machine/users.ts';
import { sendJson, writeAll } from './answers.ts';

export type Call = {
  /** From Basic authorization: whose home relative paths start in. */
  readonly user: User;
  /** Aborts when the deadline of the call has passed. */
  readonly late: AbortSignal;
  /** Of a stream: aborts also when the client goes away or the sandbox stops. */
  readonly closed: AbortSignal;
  /** Resolves when the client's connection can take more. */
  send(message: object): Promise<void>;
};

type Method = {
  readonly unary: boolean;
  /** What an idle stream says, that a dead connection is noticed. */
  readonly keepalive?: object;
  /** Resolves with the answer; undefined: none but what was sent. */
  run(requests: AsyncIterable<unknown>, call: Call): Promise<unknown>;
};
export type Service = Readonly<Record<string, Method>>;

type Work<T extends z.ZodType, R> = (request: z.infer<T>, call: Call) => Promise<R>;

export function unary<T extends z.ZodType>(schema: T, work: Work<T, unknown>): Method {
  return { unary: true, run: async (requests, call) => (await work(check(schema, await first(requests)), call)) ?? {} };
}

/** One message in, many out; it ends when `work` does. */
export function stream<T extends z.ZodType>(schema: T, keepalive: object, work: Work<T, void>): Method {
  return {
    ...{ unary: false, keepalive },
    async run(requests, call) {
      await work(check(schema, await first(requests)), call);
      if (call.late.aborted) throw new Failure('deadline_exceeded', 'context deadline exceeded');
    },
  };
}

const MAX_MESSAGE_BYTES = 256 * 1024 * 1024;
const DEFAULT_KEEPALIVE_MS = 90_000;

/** `stopped` aborts when the sandbox is paused or killed. `user`: undefined when there is none of that name. */
export async function callService(
  service: Service,
  name: string,
  req: IncomingMessage,
  res: ServerResponse,
  user: { readonly name: string; readonly known: User | undefined },
  stopped: AbortSignal,
): Promise<void> {
  const method = Object.hasOwn(service, name) ? service[name] : undefined;
  const type = (req.headers['content-type'] ?? '').split(';', 1)[0]?.trim();
  const expected = method?.unary === false ? 'application/connect+json' : 'application/json';
  if (method === undefined) {
    sendJson(res, 501, { code: 'unimplemented', message: `${name} is not implemented in local mode` });
  } else if (req.method !== 'POST') {
    res.writeHead(405, { allow: 'POST' }).end();
  } else if (type !== expected) {
    res.writeHead(415, { 'accept-post': expected }).end();
  } else if (user.known === undefined) {
    req.resume();
    answer(method, res, new Failure('unauthenticated', `invalid username: '${user.name}'`));
  } else {
    const result = await run(method, req, res, user.known, stopped).catch(toFailure);
    // With the sandbox an answer breaks off, without an end.
    if (!stopped.aborted && !res.destroyed) answer(method, res, result);
  }
}

async function run(method: Method, req: IncomingMessage, res: ServerResponse, user: User, stopped: AbortSignal) {
  const timeoutMs = positive(req.headers['connect-timeout-ms']);
  const keepaliveMs = (positive(req.headers['keepalive-ping-interval']) ?? DEFAULT_KEEPALIVE_MS / 1000) * 1000;
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  const late = timeoutMs === undefined ? new AbortController().signal : AbortSignal.timeout(timeoutMs);
  const closed = AbortSignal.any([gone.signal, stopped, late]);
  let lastSentMs = Number.POSITIVE_INFINITY;
  const send = async (message: object): Promise<void> => {
    lastSentMs = performance.now();
    if (!closed.aborted) await writeAll(res, envelope(0, message));
  };
  const ping = setInterval(() => {
    if (performance.now() - lastSentMs >= keepaliveMs) void send(method.keepalive ?? {});
  }, keepaliveMs / 2);
  try {
    return await method.run(method.unary ? body(req) : messages(req, res), { user, late, closed, send });
  } finally {
    clearInterval(ping);
  }
}

function positive(header: unknown): number | undefined {
  const value = Number(header);
  return Number.isFinite(value) && value > 0 ? value : undefined;
}

/** The last of an answer, or the whole: what a method resolved with, or why it failed. */
function answer({ unary }: Method, res: ServerResponse, result: unknown): void {
  const error = result instanceof Failure ? { code: result.code, message: result.message } : undefined;
  if (unary) sendJson(res, error === undefined ? 200 : statusOf(error.code), error ?? result);
  else {
    startStream(res);
    if (result !== undefined && error === undefined) res.write(envelope(0, result));
    res.end(envelope(endStreamFlag, { error }));
  }
}

function startStream(res: ServerResponse): void {
  if (!res.headersSent) res.writeHead(200, { 'content-type': 'application/connect+json' }).flushHeaders();
}

function toFailure(caught: unknown): Failure {
  if (caught instanceof ConnectError) return new Failure(codeToString(caught.code) as FailureCode, caught.rawMessage);
  return caught instanceof Failure
    ? caught
    : new Failure('internal', caught instanceof Error ? caught.message : 'local mode failed');
}

const statusOf = (code: FailureCode): number => codeToHttpStatus(codeFromString(code) ?? Code.Internal);

const envelope = (flags: number, message: unknown): Uint8Array =>
  encodeEnvelope(flags, Buffer.from(JSON.stringify(message)));

/** As they arrive. */
async function* messages(req: IncomingMessage, res: ServerResponse): AsyncGenerator<unknown> {
  for await (const { flags, data } of transformSplitEnvelope(MAX_MESSAGE_BYTES)(req)) {
    yield parse((flags & compressedFlag) === 0 ? data : unpacked(data));
  }
  // Not before all is read: clients of HTTP/1.1 stop sending once an answer comes.
  startStream(res);
}

const unpacked = (bytes: Uint8Array): Buffer => gunzipSync(bytes, { maxOutputLength: MAX_MESSAGE_BYTES });

/** The body of a unary call, as its one message. */
async function* body(req: IncomingMessage): AsyncGenerator<unknown> {
  const bytes = await readCapped(req as AsyncIterable<Buffer>, { maxBytes: MAX_MESSAGE_BYTES, tooLarge });
  yield parse(req.headers['content-encoding'] === 'gzip' ? unpacked(bytes) : bytes);
}

/** Of those there are; the rest is read to its end. */
async function first(all: AsyncIterable<unknown>): Promise<unknown> {
  let found: { message: unknown } | undefined;
  for await (const message of all) found ??= { message };
  if (found === undefined) throw new Failure('invalid_argument', 'the request holds no message');
  return found.message;
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(bytes.length === 0 ? '{}' : Buffer.from(bytes).toString('utf8'));
  } catch {
    throw new Failure('invalid_argument', 'the message is not JSON');
  }
}

const tooLarge = (): Failure => new Failure('resource_exhausted', 'the message is too large');

/** @throws Failure invalid_argument */
export function check<T extends z.ZodType>(schema: T, request: unknown): z.infer<T> {
  const { data, error } = schema.safeParse(request);
  if (error === undefined) return data as z.infer<T>;
  const [issue] = error.issues;
  throw new Failure('invalid_argument', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`);
}
