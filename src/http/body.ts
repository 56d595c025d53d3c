// Reads the body of a request. Before it is parsed, its length, its uncompressed length, the memory its caller has left and
// the number of its values are checked. Only the parts of the message that are used are kept.
import { isUtf8 } from 'node:buffer';
import type { Request, RequestHandler, Response } from 'express';
import { ERRORS, GatewayError } from '../errors.ts';
import { describeExcess, type JsonExcess, type JsonLimits, JsonMeter } from '../ground/json-size.ts';
import type { Holding, MemoryBudget } from '../ground/memory-budget.ts';
import { hasTooManyPieces } from './pieces.ts';
import { type Encoding, isEncoding } from './unpack.ts';
import type { Unpacker } from './unpacker.ts';
import { GONE } from './web.ts';

export type BodyOptions = {
  readonly maxBytes: number;
  readonly memory?: MemoryBudget | undefined;
  /** Without it, compressed bodies are refused. */
  readonly unpacker?: Unpacker | undefined;
};

/** A message is the name of a tool and its code; everything else that clients send is small. */
const LIMITS: Omit<JsonLimits, 'maxBytes'> = { maxValues: 5_000, maxKeys: 2_000, maxDepth: 64, maxKeyBytes: 1_024 };

/** Puts the parsed message into `request.body`. Runs after authentication, because the memory is counted for the caller. */
export function readMessage({ maxBytes, memory, unpacker }: BodyOptions): RequestHandler {
  return async (request, response, next) => {
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
    const encoding = encodingOf(request);
    const held = openHolding(request, response, memory);
    const body =
      encoding === undefined
        ? await readPlain(request, maxBytes, held)
        : await readPacked(request, response, { maxBytes, encoding, unpacker, held });
    const message = parse(body);
    request.body = Array.isArray(message) ? message.map(usedOf) : usedOf(message);
    next();
  };
}

/** Undefined for a body that is not compressed. */
function encodingOf({ headers }: Request): Encoding | undefined {
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity' || encoding === '') return undefined;
  if (!isEncoding(encoding)) throw unsupported();
  return encoding;
}

async function readPlain(request: Request, maxBytes: number, held: Holding | undefined): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const meter = new JsonMeter({ ...LIMITS, maxBytes });
  for await (const chunk of pieces(request)) {
    held?.take(chunk.length);
    refuse(meter.push(chunk), maxBytes);
    chunks.push(chunk);
  }
  const measured = meter.end();
  if ('of' in measured) refuse(measured, maxBytes);
  return Buffer.concat(chunks);
}

type Packed = {
  readonly maxBytes: number;
  readonly encoding: Encoding;
  readonly unpacker: Unpacker | undefined;
  readonly held: Holding | undefined;
};

async function readPacked(request: Request, response: Response, packed: Packed): Promise<Buffer> {
  const { maxBytes, encoding, unpacker, held } = packed;
  if (unpacker === undefined) throw unsupported();
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of pieces(request)) {
    held?.take(chunk.length);
    length += chunk.length;
    if (length > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  const left = new AbortController();
  response.once('close', () => left.abort(GONE));
  const from = { principalId: principalOf(request), signal: left.signal };
  const body = { bytes: Buffer.concat(chunks), encoding, limits: { ...LIMITS, maxBytes } };
  const unpacked = await unpacker.unpack(body, from);
  if ('fault' in unpacked) throw unpacked.fault === 'too_large' ? tooLarge(maxBytes) : new GatewayError('body_invalid');
  const { bytes, verdict } = unpacked;
  if (!verdict.fits) refuse(verdict.excess, maxBytes);
  held?.take(bytes.length);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const principalOf = (request: Request): string => (request as { auth?: { clientId?: string } }).auth?.clientId ?? '';

/** Reserves memory for the whole request: mcp/server.ts takes the memory for the response from it as well. */
function openHolding(request: Request, response: Response, memory: MemoryBudget | undefined): Holding | undefined {
  const { auth } = request as { auth?: { extra?: Record<string, unknown> } };
  const held = memory?.open(principalOf(request));
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

/** The bytes as they were sent. If the request breaks off, the error is the caller's (400). */
async function* pieces(request: Request): AsyncGenerator<Buffer> {
  try {
    // The request must not be destroyed when it is refused, because the response is sent on its socket.
    for await (const piece of request.iterator({ destroyOnReturn: false })) {
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
