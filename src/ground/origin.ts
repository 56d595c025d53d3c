// HTTP to one origin and nothing else: no redirect is followed, an answer is measured while it arrives, and callers take
// turns for the connections. Knows no API; what goes wrong is thrown as it comes, see `BrokenAnswer`.

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
  /** Path and query as they go out, without the base path. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | null;
};

export type OriginOptions = {
  readonly principalId: string;
  readonly signal: AbortSignal;
  /** Of the answer. One that passes a limit is not read to its end. */
  readonly limits: JsonLimits;
  /** Called for each piece of an answer's body; what it throws ends the call. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
};

export type OriginAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** Undefined for a body that starts no object or array: parsing it costs nothing worth counting. */
  readonly size: JsonSize | undefined;
};

/** The status came, the body was not read whole. */
export class BrokenAnswer extends Error {
  readonly status: number;
  constructor(status: number, cause: unknown) {
    super('the answer broke off', { cause });
    this.status = status;
  }
}

// The whole of undici does this when it is loaded; it is not, for the start's sake.
DispatcherBase.prototype.request = request;

/** A key that fills its own share leaves the rest to others: one with hundreds of slow calls is the only one to wait. */
const PLACES: PlaceLimits = { max: 512, maxPerPrincipal: 64 };

export class Origin {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Without a slash at its end; empty when there is none. */
  readonly basePath: string;
  readonly #pool: Pool;
  readonly #places: Places;

  /** @throws Error when `apiUrl` is not usable: a fault of the configuration. */
  constructor(apiUrl: string, places = PLACES) {
    const { origin, basePath } = readApiUrl(apiUrl);
    this.origin = origin;
    this.basePath = basePath;
    this.#places = new Places(places);
    this.#pool = new Pool(origin, {
      connections: places.max,
      connect: { timeout: 10_000 },
      keepAliveTimeout: 30_000,
      // Each call keeps its own time.
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

/** HTTP has none above it. */
const MAX_STATUS = 599;

/** With a code, as the failures of a connection have one: the API is at fault. */
const notHttp = (cause: unknown) => Object.assign(new Error('the answer is no HTTP', { cause }), { code: 'NOT_HTTP' });

/** undici's parser refuses most of what is no HTTP without a code, and some by an assertion. */
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

async function readBody({ statusCode, headers, body }: Dispatcher.ResponseData, { limits, onBytes }: OriginOptions) {
  const encoded = isEncoded(headers['content-encoding']);
  const reader = readerFor([headers['content-type']].flat()[0], statusCode);
  const maxBytes = Math.min(limits.maxBytes, reader.maxBytes);
  const meter = new StructureMeter(limits);
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop early destroys the connection: the rest is never read.
  for await (const chunk of body as AsyncIterable<Buffer>) {
    if (encoded)
      throw new GatewayError('upstream_failed', 'The API sent a compressed answer, which was not asked for.');
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw tooLarge(`more than ${maxBytes} bytes`);
    onBytes?.(chunk.byteLength);
    if (reader.isUtf8) meter.push(chunk);
    chunks.push(chunk);
  }
  const text = reader.read(Buffer.concat(chunks, bytes));
  if (!reader.isUtf8) meter.push(text);
  return { body: text, size: meter.end() };
}

/** Measures a body that starts an object or an array; any other costs nothing worth counting. */
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

/** None is asked for: taken for plain, it would be a wrong answer. */
const isEncoded = (encoding: string | string[] | undefined): boolean =>
  [encoding ?? []].flat().some(each => !/^\s*(?:identity)?\s*$/i.test(each));

const [SPACE, OPEN_ARRAY, OPEN_OBJECT] = [0x20, 0x5b, 0x7b] as const;

const tooLarge = (what: string) =>
  new GatewayError('answer_too_large', `The answer has ${what}. Ask for less: use limit, filters or a narrower path.`);
