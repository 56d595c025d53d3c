// Sends all requests to programs in sandboxes: to one origin per call, without following redirects, counting bytes as
// they arrive. The agent's own program may answer there, so responses are as hostile as its code. Knows no service.
import { getHeapStatistics } from 'node:v8';
import { type BodyInit, type RequestInit, Response, fetch as send } from 'undici';
import { GatewayError } from '../errors.ts';
import { describeExcess, type JsonLimits, JsonMeter } from '../ground/json-size.ts';
import { Agents } from './agents.ts';
import { wholeMessages } from './messages.ts';
import { mergeOutput } from './output-messages.ts';

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
  /** Awaited before the SDK gets more data to decode, see HostTurns `pass`. If it throws, the response fails. */
  readonly turn?: () => Promise<unknown>;
};

/** Maximum number of messages in a stream. Some commands send one message per line. */
const MAX_MESSAGES = 100_000;
/** Number of messages that are merged in one turn, which takes about a millisecond. */
const MERGED_A_TURN = 200;

/** A `fetch` for one origin. `fault`: the error that ended a response, because clients wrap errors in their own. */
export type Wire = {
  readonly fetch: (input: string | URL | globalThis.Request, init?: globalThis.RequestInit) => Promise<Response>;
  readonly fault: GatewayError | undefined;
};

export type WireFactory = { open(options: WireOptions): Wire; close(): Promise<void> };

/** Maximum size of all open responses together. The rest of the heap is for processing them and for everything else. */
const DEFAULT_MAX_HELD_BYTES = getHeapStatistics().heap_size_limit / 4;
const HELD_RETRY_MS = 5_000;

/** Create one per process: its wires share the connections and the limit on the size of all open responses. */
export function createWireFactory(maxHeldBytes = DEFAULT_MAX_HELD_BYTES): WireFactory {
  const openHold = createHolds(maxHeldBytes);
  const agents = new Agents();

  const open = (options: WireOptions): Wire => {
    const { origin, principalId, signal, maxAnswerBytes, maxMessageBytes, json } = options;
    const state: { fault: GatewayError | undefined } = { fault: undefined };
    const refuse = (error: GatewayError): never => {
      state.fault = error;
      throw error;
    };
    return {
      get fault() {
        return state.fault;
      },
      async fetch(input, init) {
        const { url, ...request } = await requestOf(input, init);
        if (new URL(url).origin !== origin) {
          return refuse(new GatewayError('internal', undefined, { cause: new Error(`not ${origin}`) }));
        }
        const signals = [signal, request.signal].filter(each => each !== undefined && each !== null);
        const { agent, release } = agents.use(principalId);
        const response = await send(url, {
          ...request,
          redirect: 'manual',
          signal: AbortSignal.any(signals),
          dispatcher: agent,
        }).catch(caught => {
          release();
          throw caught;
        });
        const onFault = (error: GatewayError) => {
          state.fault = error;
        };
        if (response.body === null || BODILESS.includes(response.status)) {
          await response.body?.cancel();
          release();
          return copyOf(response, null);
        }
        const meters = [countBytes(maxAnswerBytes)];
        // A stream of messages is not counted as held, because only a limited part of it is in memory.
        if (isStream(response) && maxMessageBytes !== undefined) {
          const messages = wholeMessages(maxMessageBytes, () => tooLarge(maxMessageBytes));
          return copyOf(response, paced(response.body, meters, messages, options, onFault, release));
        }
        const hold = openHold();
        const onEnd = () => {
          hold.release();
          release();
        };
        meters.push(hold.take);
        if (json === undefined || request.method === 'GET') return bounded(response, meters, onFault, onEnd);
        try {
          return copyOf(response, await readWhole(response.body, meters, json, options));
        } catch (caught) {
          if (caught instanceof GatewayError) state.fault = caught;
          throw caught;
        } finally {
          onEnd();
        }
      },
    };
  };

  return { open, close: () => agents.close() };
}

/** Redirects are not followed, because a sandbox could send the gateway to any address. */
export const isRedirect = (response: Response) => response.status >= 300 && response.status < 400;

/** Ignores case, like the SDK's transport, which decodes such responses as streams. */
const isStream = (response: Response) => /^application\/connect/i.test(response.headers.get('content-type') ?? '');

/** Called with each chunk. @throws GatewayError if the limit is exceeded */
type Meter = (chunk: Uint8Array) => void;

const tooLarge = (maxBytes: number) =>
  new GatewayError('answer_too_large', `The answer is larger than ${maxBytes} bytes. Ask for less.`);

const tooMuch = (what: string) =>
  new GatewayError('answer_too_large', `The sandbox answered with ${what}. Ask for less, or write it to a file.`);

function countBytes(maxBytes: number): Meter {
  let bytes = 0;
  return chunk => {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
  };
}

/** Limits the size of all open responses together, so that endless responses cannot exhaust the memory. */
function createHolds(maxBytes: number): () => { take: Meter; release(): void } {
  let held = 0;
  return () => {
    let own = 0;
    return {
      take({ byteLength }) {
        if (held + byteLength > maxBytes) {
          throw new GatewayError(
            'busy',
            'The gateway cannot buffer more open responses now. Wait a few seconds, then send the same call again.',
            { retryAfterMs: HELD_RETRY_MS },
          );
        }
        own += byteLength;
        held += byteLength;
      },
      release() {
        held -= own;
      },
    };
  };
}

/** Statuses without a body, whatever the sandbox sends after them. */
const BODILESS = [101, 204, 205, 304];

const copyOf = ({ status, statusText, headers }: Response, body: BodyInit | null) =>
  new Response(body, { status, statusText, headers });

/** `onEnd` is called when the body was read to its end, failed, was aborted or was cancelled by its reader. */
function bounded(
  response: Response,
  meters: readonly Meter[],
  onFault: (error: GatewayError) => void,
  onEnd: () => void,
): Response {
  const counted = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      try {
        for (const meter of meters) meter(chunk);
        controller.enqueue(chunk);
      } catch (error) {
        if (error instanceof GatewayError) onFault(error);
        controller.error(error);
      }
    },
  });
  response.body?.pipeTo(counted.writable).then(onEnd, onEnd);
  return copyOf(response, counted.readable);
}

/** Reads a body that is decoded at once. @throws GatewayError `answer_too_large` before anything is decoded */
async function readWhole(
  body: AsyncIterable<Uint8Array>,
  meters: readonly Meter[],
  limits: JsonLimits,
  { turn }: WireOptions,
): Promise<Uint8Array> {
  const size = new JsonMeter(limits);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) {
    for (const meter of meters) meter(chunk);
    if (chunks.length > 0) await turn?.();
    const excess = size.push(chunk);
    if (excess !== undefined) throw tooMuch(describeExcess(excess));
    chunks.push(chunk);
  }
  const whole = size.end();
  if ('of' in whole) throw tooMuch(describeExcess(whole));
  await turn?.();
  return new Uint8Array(Buffer.concat(chunks));
}

/** Passes on whole messages, only as fast as they are read. */
function paced(
  body: ReadableStream<Uint8Array>,
  meters: readonly Meter[],
  split: ReturnType<typeof wholeMessages>,
  { turn }: WireOptions,
  onFault: (error: GatewayError) => void,
  onEnd: () => void,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let count = 0;
  const arrived: Uint8Array[] = [];
  let waiting: Uint8Array[] = [];

  /** Returns false at the end of the stream. */
  const fill = async (): Promise<boolean> => {
    while (waiting.length === 0) {
      if (arrived.length === 0) {
        const { done, value } = await reader.read();
        if (done) return false;
        for (const meter of meters) meter(value);
        split(value, message => arrived.push(message));
        count += arrived.length;
        if (count > MAX_MESSAGES) throw tooMuch(`more than ${MAX_MESSAGES} messages`);
      }
      await turn?.();
      waiting = mergeOutput(arrived.splice(0, MERGED_A_TURN)).reverse();
    }
    return true;
  };

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          if (!(await fill())) {
            onEnd();
            return controller.close();
          }
          await turn?.();
          const message = waiting.pop();
          if (message !== undefined) controller.enqueue(message);
        } catch (error) {
          if (error instanceof GatewayError) onFault(error);
          controller.error(error);
          onEnd();
          await reader.cancel().catch(() => {});
        }
      },
      async cancel(reason) {
        onEnd();
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

type Outgoing = RequestInit & { readonly url: string };

/** The SDK passes strings or Node's own Request, which the undici package does not accept. */
async function requestOf(input: string | URL | globalThis.Request, init?: globalThis.RequestInit): Promise<Outgoing> {
  if (!(input instanceof globalThis.Request)) return { ...(init as unknown as RequestInit), url: String(input) };
  const body: BodyInit | null = input.body === null ? null : await input.arrayBuffer();
  return { url: input.url, method: input.method, headers: [...input.headers], body, signal: input.signal };
}
