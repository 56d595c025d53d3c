// Sends all requests to programs in sandboxes: to one origin per call, without following redirects, counting bytes as
// they arrive. The agent's own program may answer there, so responses are as hostile as its code. Knows no service.
import { getHeapStatistics } from 'node:v8';
import { type BodyInit, type RequestInit, Response, fetch as send } from 'undici';
import { GatewayError } from '../errors.ts';
import type { JsonLimits } from '../ground/json-size.ts';
import { Agents } from './agents.ts';
import { countBytes, createHolds, metered, type OpenHold, paced, readWhole, type Turn, tooLarge } from './bodies.ts';
import { wholeMessages } from './messages.ts';

export type WireOptions = {
  /** Scheme, host and port of the sandbox, the only ones that are allowed. */
  readonly origin: string;
  /** The principal whose connections are used. */
  readonly principalId: string;
  readonly signal: AbortSignal;
  /** Maximum size of a response body. */
  readonly maxAnswerBytes: number;
  /** Maximum size of a message in a streamed response, because the SDK decodes a message at once. */
  readonly maxMessageBytes?: number;
  /** Limits of a response that the SDK decodes at once, checked before that. Downloads (GET) are not decoded. */
  readonly json?: JsonLimits;
  /** Awaited before each request, and before each part of a response is decoded. */
  readonly turn?: Turn;
};

/** Maximum size of all open responses together. The rest of the heap is for processing them and for everything else. */
const DEFAULT_MAX_HELD_BYTES = getHeapStatistics().heap_size_limit / 4;

/** Create one per process: its wires share the connections and the limit on the size of all open responses. */
export class WireFactory {
  readonly #openHold: OpenHold;
  readonly #agents = new Agents();

  constructor(maxHeldBytes = DEFAULT_MAX_HELD_BYTES) {
    this.#openHold = createHolds(maxHeldBytes);
  }

  open(options: WireOptions): Wire {
    return new Wire(options, this.#agents, this.#openHold);
  }

  close(): Promise<void> {
    return this.#agents.close();
  }
}

/** A `fetch` for one origin. */
export class Wire {
  readonly #options: WireOptions;
  readonly #agents: Agents;
  readonly #openHold: OpenHold;
  #fault: GatewayError | undefined;

  constructor(options: WireOptions, agents: Agents, openHold: OpenHold) {
    this.#options = options;
    this.#agents = agents;
    this.#openHold = openHold;
  }

  /** The error that ended a response, because clients wrap errors in their own. */
  get fault(): GatewayError | undefined {
    return this.#fault;
  }

  async fetch(input: string | URL | globalThis.Request, init?: globalThis.RequestInit): Promise<Response> {
    const { origin, principalId, signal, turn } = this.#options;
    const { url, ...request } = await requestOf(input, init);
    if (new URL(url).origin !== origin) {
      this.#fault = new GatewayError('internal', undefined, { cause: new Error(`not ${origin}`) });
      throw this.#fault;
    }
    await turn?.();
    const signals = [signal, request.signal].filter(each => each !== undefined && each !== null);
    const { agent, release } = this.#agents.use(principalId);
    const response = await send(url, {
      ...request,
      redirect: 'manual',
      signal: AbortSignal.any(signals),
      dispatcher: agent,
    }).catch(caught => {
      release();
      throw caught;
    });
    if (response.body !== null && !BODILESS.includes(response.status))
      return this.#limited(response, response.body, request.method, release);
    await response.body?.cancel();
    release();
    return copyOf(response, null);
  }

  /** The response with its body limited. `release`: called when the body has ended. */
  async #limited(
    response: Response,
    body: ReadableStream<Uint8Array>,
    method: string | undefined,
    release: () => void,
  ): Promise<Response> {
    const { maxAnswerBytes, maxMessageBytes, json, turn } = this.#options;
    const meters = [countBytes(maxAnswerBytes)];
    const onFault = (error: unknown) => {
      if (error instanceof GatewayError) this.#fault = error;
    };
    // A stream of messages is not counted as held, because only a limited part of it is in memory.
    if (isStream(response) && maxMessageBytes !== undefined) {
      const messages = wholeMessages(maxMessageBytes, () => tooLarge(maxMessageBytes));
      return copyOf(response, paced(body, meters, messages, turn, onFault, release));
    }
    const hold = this.#openHold();
    const onEnd = () => {
      hold.release();
      release();
    };
    meters.push(hold.take);
    if (json === undefined || method === 'GET') return copyOf(response, metered(body, meters, onFault, onEnd));
    try {
      return copyOf(response, await readWhole(body, meters, json, turn));
    } catch (caught) {
      onFault(caught);
      throw caught;
    } finally {
      onEnd();
    }
  }
}

/** Redirects are not followed, because a sandbox could send the gateway to any address. */
export const isRedirect = (response: Response) => response.status >= 300 && response.status < 400;

/** Ignores case, like the SDK's transport, which decodes such responses as streams. */
const isStream = (response: Response) => /^application\/connect/i.test(response.headers.get('content-type') ?? '');

/** Statuses without a body, whatever the sandbox sends after them. */
const BODILESS = [101, 204, 205, 304];

const copyOf = ({ status, statusText, headers }: Response, body: BodyInit | null) =>
  new Response(body, { status, statusText, headers });

type Outgoing = RequestInit & { readonly url: string };

/** The SDK passes strings or Node's own Request, which the undici package does not accept. */
async function requestOf(input: string | URL | globalThis.Request, init?: globalThis.RequestInit): Promise<Outgoing> {
  if (!(input instanceof globalThis.Request)) return { ...(init as unknown as RequestInit), url: String(input) };
  const body: BodyInit | null = input.body === null ? null : await input.arrayBuffer();
  return { url: input.url, method: input.method, headers: [...input.headers], body, signal: input.signal };
}
