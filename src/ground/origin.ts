// Sends HTTP requests to one origin only: follows no redirects, measures a response while it arrives, and lets callers
// take turns for connections. Knows no API; throws errors of the connection unchanged, see also `BrokenAnswer`.

import type { Dispatcher } from 'undici';
import request from 'undici/lib/api/api-request.js';
import DispatcherBase from 'undici/lib/dispatcher/dispatcher.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import { GatewayError } from '../errors.ts';
import { BYTE_ORDER_MARK, readerFor } from './charset.ts';
import { describeExcess, type JsonLimits, JsonMeter, type JsonSize } from './json-size.ts';
import { isLoopbackHostname } from './loopback.ts';
import { type PlaceLimits, Places } from './places.ts';

export type OriginRequest = {
  readonly method: string;
  /** Path and query as they are sent, without the base path. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | null;
};

export type OriginOptions = {
  readonly principalId: string;
  readonly signal: AbortSignal;
  /** Limits of the response. Reading stops when one is exceeded. */
  readonly limits: JsonLimits;
  /** Called for each piece of the response body. If it throws, the call fails with that error. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
  /** Awaited before each further piece of a large body is measured. If it throws, the call fails with that error. */
  readonly turn?: (() => Promise<unknown>) | undefined;
};

export type OriginAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer<ArrayBuffer>;
  /** Undefined for a body that is not a JSON object or array, because parsing it takes no time worth counting. */
  readonly size: JsonSize | undefined;
};

/** The status arrived, but the body was not read to its end. */
export class BrokenAnswer extends Error {
  readonly status: number;
  constructor(status: number, cause: unknown) {
    super('the answer broke off', { cause });
    this.status = status;
  }
}

// undici's main module would do this, but it is not loaded because that would slow down the start.
DispatcherBase.prototype.request = request;

/** The limit per key leaves connections for others: a key with hundreds of slow calls delays only itself. */
const PLACES: PlaceLimits = { max: 512, maxPerPrincipal: 64 };

export class Origin {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Without a trailing slash; empty if there is none. */
  readonly basePath: string;
  readonly #pool: Pool;
  readonly #places: Places;

  /** @throws Error if `apiUrl` is not usable, which is a mistake in the configuration */
  constructor(apiUrl: string, places = PLACES) {
    const { origin, basePath } = readApiUrl(apiUrl);
    this.origin = origin;
    this.basePath = basePath;
    this.#places = new Places(places);
    this.#pool = new Pool(origin, {
      connections: places.max,
      connect: { timeout: 10_000 },
      keepAliveTimeout: 30_000,
      // Each call has its own time limit.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  get url(): string {
    return this.origin + this.basePath;
  }

  async send(request: OriginRequest, options: OriginOptions): Promise<OriginAnswer> {
    const { principalId, signal } = options;
    const leave = await this.#places.take(principalId, signal).catch(cause => {
      throw Object.assign(new Error('no connection was free in time', { cause }), { code: 'NO_PLACE' });
    });
    try {
      const { method, target, headers, body } = request;
      const path = this.basePath + target;
      const response = await this.#pool.request({ method, path, headers, body, signal }).catch(cause => {
        throw readable(cause);
      });
      const { statusCode: status } = response;
      if (status > MAX_STATUS) {
        response.body.on('error', () => {}).destroy();
        throw notHttp(`status ${status}`);
      }
      const read = await readBody(response, options).catch(cause => {
        throw new BrokenAnswer(status, readable(cause));
      });
      return { status, headers: response.headers, ...read };
    } finally {
      leave();
    }
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }
}

/** HTTP has no status above it. */
const MAX_STATUS = 599;

/** Has a code like failures of a connection, because the API is at fault. */
const notHttp = (cause: unknown) => Object.assign(new Error('the answer is no HTTP', { cause }), { code: 'NOT_HTTP' });

/** undici's parser reports most responses that are not HTTP with an error without code, and some with an assertion. */
const readable = (caught: unknown): unknown => {
  const { name } = caught instanceof Error ? caught : { name: '' };
  return name === 'HTTPParserError' || name === 'AssertionError' ? notHttp(caught) : caught;
};

export function readApiUrl(apiUrl: string): { readonly origin: string; readonly basePath: string } {
  const url = new URL(apiUrl);
  const loopback = isLoopbackHostname(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback)) {
    throw new Error('The API URL must be https (http only for loopback addresses): the key travels with each request.');
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new Error('The API URL must hold no credentials, query or fragment.');
  }
  return { origin: url.origin, basePath: url.pathname.replace(/\/+$/, '') };
}

async function readBody(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  { limits, onBytes, turn }: OriginOptions,
) {
  const encoded = isEncoded(headers['content-encoding']);
  const reader = readerFor([headers['content-type']].flat()[0], statusCode);
  const maxBytes = Math.min(limits.maxBytes, reader.maxBytes);
  const meter = new StructureMeter(limits);
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Throwing in the loop destroys the connection, so the rest is not read.
  for await (const chunk of body as AsyncIterable<Buffer>) {
    if (encoded)
      throw new GatewayError('upstream_failed', 'The API sent a compressed answer, which was not asked for.');
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw tooLarge(`more than ${maxBytes} bytes`);
    onBytes?.(chunk.byteLength);
    if (chunks.length > 0) await turn?.();
    if (reader.isUtf8) meter.push(chunk);
    chunks.push(chunk);
  }
  const text = reader.read(Buffer.concat(chunks, bytes));
  if (!reader.isUtf8) meter.push(text);
  return { body: text, size: meter.end() };
}

/** Measures a body that begins with an object or array; parsing any other takes no time worth counting. */
class StructureMeter {
  readonly #limits: JsonLimits;
  #first: number | undefined;
  #meter: JsonMeter | undefined;

  constructor(limits: JsonLimits) {
    this.#limits = limits;
  }

  /** @throws GatewayError `answer_too_large` */
  push(chunk: Buffer): void {
    if (this.#first === undefined) {
      this.#first = chunk.find(byte => byte > SPACE && !BYTE_ORDER_MARK.includes(byte));
      if (this.#first === OPEN_ARRAY || this.#first === OPEN_OBJECT) this.#meter = new JsonMeter(this.#limits);
    }
    const excess = this.#meter?.push(chunk);
    if (excess !== undefined) throw tooLarge(describeExcess(excess));
  }

  /** @throws GatewayError `answer_too_large` */
  end(): JsonSize | undefined {
    const end = this.#meter?.end();
    if (end !== undefined && 'of' in end) throw tooLarge(describeExcess(end));
    return end;
  }
}

/** The gateway requests no compression. Reading a compressed body as plain text would give a wrong value. */
const isEncoded = (encoding: string | string[] | undefined): boolean =>
  [encoding ?? []].flat().some(each => !/^\s*(?:identity)?\s*$/i.test(each));

const [SPACE, OPEN_ARRAY, OPEN_OBJECT] = [0x20, 0x5b, 0x7b] as const;

const tooLarge = (what: string) =>
  new GatewayError('answer_too_large', `The answer has ${what}. Ask for less: use limit, filters or a narrower path.`);
