// Reads the body of a request. Before it is parsed, its length, its uncompressed length, the memory its caller has left and
// the number of its values are checked. Only the parts of the message that are used are kept.
import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Request, RequestHandler, Response } from 'express';
import { ERRORS, GatewayError } from '../errors.ts';
import { describeExcess, type JsonExcess, type JsonLimits, JsonMeter } from '../ground/json-size.ts';
import type { Holding, MemoryBudget } from '../ground/memory-budget.ts';
import { hasTooManyPieces } from './pieces.ts';

export type BodyOptions = { readonly maxBytes: number; readonly memory?: MemoryBudget | undefined };

/** A message is the name of a tool and its code; everything else that clients send is small. */
const LIMITS: Omit<JsonLimits, 'maxBytes'> = { maxValues: 5_000, maxKeys: 2_000, maxDepth: 64, maxKeyBytes: 1_024 };
/** Maximum ratio of uncompressed to received bytes, for bodies of more than FREE_OF_RATIO_BYTES. */
const MAX_RATIO = 100;
const FREE_OF_RATIO_BYTES = 65_536;

const DECODERS = { gzip: createGunzip, 'x-gzip': createGunzip, deflate: createInflate, br: createBrotliDecompress };

/** Puts the parsed message into `request.body`. Runs after authentication, because the memory is counted for the caller. */
export function readMessage({ maxBytes, memory }: BodyOptions): RequestHandler {
  return async (request, response, next) => {
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
    const held = openHolding(request, response, memory);
    const chunks: Buffer[] = [];
    const meter = new JsonMeter({ ...LIMITS, maxBytes });
    for await (const chunk of unpack(request, maxBytes)) {
      held?.take(chunk.length);
      refuse(meter.push(chunk), maxBytes);
      chunks.push(chunk);
    }
    const measured = meter.end();
    if ('of' in measured) refuse(measured, maxBytes);
    const message = parse(Buffer.concat(chunks));
    request.body = Array.isArray(message) ? message.map(usedOf) : usedOf(message);
    next();
  };
}

/** Reserves memory for the whole request: mcp/server.ts takes the memory for the response from it as well. */
function openHolding(request: Request, response: Response, memory: MemoryBudget | undefined): Holding | undefined {
  const { auth } = request as { auth?: { clientId: string; extra?: Record<string, unknown> } };
  const held = memory?.open(auth?.clientId ?? '');
  if (held === undefined) return undefined;
  response.once('close', () => held.release());
  const take = (bytes: number): boolean => {
    try {
      held.take(bytes);
      return true;
    } catch {
      return false;
    }
  };
  if (auth?.extra) auth.extra.hold = { take, give: (bytes: number) => held.give(bytes) };
  return held;
}

const unsupported = () =>
  new GatewayError('media_type_unsupported', 'Send the body as UTF-8, plain or compressed with gzip, deflate or br.');

const tooLarge = (maxBytes: number) =>
  new GatewayError('body_too_large', `${ERRORS.body_too_large.message} The limit is ${maxBytes} bytes.`);

const inPieces = () =>
  new GatewayError(
    'too_complex',
    'The request body comes in too many small chunks. Send it in one, or in larger ones.',
  );

async function* unpack(request: Request, maxBytes: number): AsyncGenerator<Buffer> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity' || encoding === '') return yield* pieces(request, request);
  if (!Object.hasOwn(DECODERS, encoding)) throw unsupported();
  const decoder = DECODERS[encoding as keyof typeof DECODERS]();
  request.once('error', fault => decoder.destroy(fault)).once('close', () => request.complete || decoder.destroy());
  let bytes = 0;
  try {
    for await (const piece of pieces(request.pipe(decoder), request)) {
      bytes += piece.length;
      if (bytes > Math.max(FREE_OF_RATIO_BYTES, decoder.bytesWritten * MAX_RATIO)) throw tooLarge(maxBytes);
      yield piece;
    }
  } finally {
    request.unpipe(decoder);
    decoder.destroy();
  }
}

/** The bytes of a stream. If it breaks off, the error is the caller's (400). */
async function* pieces(stream: Readable, request: Request): AsyncGenerator<Buffer> {
  try {
    // The request must not be destroyed when it is refused, because the response is sent on its socket.
    for await (const piece of stream.iterator({ destroyOnReturn: false })) {
      if (hasTooManyPieces(request)) throw inPieces();
      yield piece as Buffer;
    }
  } catch (cause) {
    throw cause instanceof GatewayError ? cause : new GatewayError('body_invalid', undefined, { cause });
  }
}

function refuse(excess: JsonExcess | undefined, maxBytes: number): void {
  if (excess === undefined) return;
  if (excess.of === 'bytes') throw tooLarge(maxBytes);
  throw new GatewayError(
    'too_complex',
    `The request body holds ${describeExcess(excess)}. Send the code as one string in \`code\`, with few other values.`,
  );
}

/** Bytes that are no UTF-8 would be other characters in the code that runs. */
function parse(body: Buffer): unknown {
  if (!isUtf8(body))
    throw new GatewayError('body_invalid', 'The request body is not UTF-8 text. Send one JSON-RPC message.');
  const text = body.toString('utf8');
  try {
    return JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text);
  } catch {
    throw new GatewayError('body_invalid');
  }
}

/** The tools use only `code` and the names of other arguments, so other values are dropped instead of kept during the call. */
function usedOf(message: unknown): unknown {
  const { method, params } = (message ?? {}) as { method?: unknown; params?: { arguments?: unknown } | null };
  if (method !== 'tools/call' || typeof params !== 'object' || params === null) return message;
  const given = params.arguments;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return message;
  const used = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, name === 'code' ? value : null]));
  return { ...(message as object), params: { ...params, arguments: used } };
}
