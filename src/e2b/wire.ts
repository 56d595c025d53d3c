// The only requests to what runs inside sandboxes: one origin a call, no redirect followed, size counted as it arrives.
// What answers there may be the agent's own program, so its answers are as hostile as the agent's code. Knows no service.
import { getHeapStatistics } from 'node:v8';
import { Agent, type BodyInit, type RequestInit, Response, fetch as send } from 'undici';
import { GatewayError } from '../errors.ts';

export type WireOptions = {
  /** What the address must have: scheme, host and port of the sandbox. */
  readonly origin: string;
  readonly signal: AbortSignal;
  /** Body of one answer; one byte more ends it. */
  readonly maxAnswerBytes: number;
  /** Of a streamed answer: one message. Clients decode a message at once, and nothing else runs meanwhile. */
  readonly maxMessageBytes?: number;
};

/** A `fetch` that reaches one origin. `fault` is why it broke an answer off: clients wrap errors beyond recognition. */
export type Wire = {
  readonly fetch: (input: string | URL | globalThis.Request, init?: globalThis.RequestInit) => Promise<Response>;
  readonly fault: GatewayError | undefined;
};

export type WireFactory = { open(options: WireOptions): Wire; close(): Promise<void> };

/** Of all answers still open. The rest of the heap is for what becomes of them, and for everything else. */
const DEFAULT_MAX_HELD_BYTES = getHeapStatistics().heap_size_limit / 4;
const HELD_RETRY_MS = 5_000;

/** One for the process: connections are shared, and the bytes that answers may hold at once. Nothing else. */
export function createWireFactory(maxHeldBytes = DEFAULT_MAX_HELD_BYTES): WireFactory {
  const openHold = createHolds(maxHeldBytes);
  // Streams of commands are long and silent: each call keeps its own time. No limit of connections: one run's streams
  // must not keep another's calls waiting.
  const agent = new Agent({ allowH2: true, headersTimeout: 0, bodyTimeout: 0 });

  const open = ({ origin, signal, maxAnswerBytes, maxMessageBytes }: WireOptions): Wire => {
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
        const response = await send(url, {
          ...request,
          redirect: 'manual',
          signal: AbortSignal.any(signals),
          dispatcher: agent,
        });
        const meters = [countBytes(maxAnswerBytes)];
        const onFault = (error: GatewayError) => {
          state.fault = error;
        };
        // Of a stream of messages a bounded part is kept.
        if (isStream(response) && maxMessageBytes !== undefined) {
          return bounded(response, meters, onFault, { messages: wholeMessages(maxMessageBytes) });
        }
        const hold = openHold();
        return bounded(response, [...meters, hold.take], onFault, { onEnd: hold.release });
      },
    };
  };

  return { open, close: () => agent.destroy() };
}

/** 3xx with a Location: to follow it would let the sandbox send the gateway anywhere. */
export const isRedirect = (response: Response) => response.status >= 300 && response.status < 400;

/** As its reader tells one: in any case. */
const isStream = (response: Response) => /^application\/connect/i.test(response.headers.get('content-type') ?? '');

type HandOn = (bytes: Uint8Array) => void;
/** Told of each piece. @throws GatewayError at the one that is too much */
type Meter = (chunk: Uint8Array) => void;

const tooLarge = (maxBytes: number) =>
  new GatewayError('answer_too_large', `The answer is larger than ${maxBytes} bytes. Ask for less.`);

function countBytes(maxBytes: number): Meter {
  let bytes = 0;
  return chunk => {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
  };
}

/** What arrives faster than it ends: a few sandboxes that never end their answers must not take the process down. */
function createHolds(maxBytes: number): () => { take: Meter; release(): void } {
  let held = 0;
  return () => {
    let own = 0;
    return {
      take({ byteLength }) {
        if (held + byteLength > maxBytes) {
          throw new GatewayError(
            'busy',
            'The gateway holds as many bytes of open answers as it may. Wait a few seconds, then ask again.',
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

/**
 * A byte of flags, four of length (big-endian), then so many of the message. Handed on only once it is whole: its reader
 * goes over all pieces it holds with each one more, and they may be of one byte. @throws GatewayError
 */
function wholeMessages(maxBytes: number): (chunk: Uint8Array, handOn: HandOn) => void {
  const PREFIX_BYTES = 5;
  let message = new Uint8Array(PREFIX_BYTES);
  let filled = 0;
  return (chunk, handOn) => {
    for (let at = 0; at < chunk.byteLength; ) {
      const piece = chunk.subarray(at, at + message.byteLength - filled);
      message.set(piece, filled);
      filled += piece.byteLength;
      at += piece.byteLength;
      if (filled < message.byteLength) continue;
      const length = filled === PREFIX_BYTES ? new DataView(message.buffer).getUint32(1) : 0;
      if (length > maxBytes) throw tooLarge(maxBytes);
      if (length > 0) {
        const prefix = message;
        message = new Uint8Array(PREFIX_BYTES + length);
        message.set(prefix);
        continue;
      }
      handOn(message);
      message = new Uint8Array(PREFIX_BYTES);
      filled = 0;
    }
  };
}

/** `onEnd`: read to its end, broken off, aborted or given up by who reads it. */
function bounded(
  response: Response,
  meters: readonly Meter[],
  onFault: (error: GatewayError) => void,
  { messages, onEnd = () => {} }: { messages?: ReturnType<typeof wholeMessages>; onEnd?: () => void } = {},
): Response {
  if (response.body === null) return response;
  const counted = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      try {
        for (const meter of meters) meter(chunk);
        if (messages === undefined) controller.enqueue(chunk);
        else messages(chunk, message => controller.enqueue(message));
      } catch (error) {
        if (error instanceof GatewayError) onFault(error);
        controller.error(error);
      }
    },
  });
  response.body.pipeTo(counted.writable).then(onEnd, onEnd);
  const { status, statusText, headers } = response;
  return new Response(counted.readable, { status, statusText, headers });
}

type Outgoing = RequestInit & { readonly url: string };

/** Clients hand over strings or the platform's own Request, which is foreign to the library that sends. */
async function requestOf(input: string | URL | globalThis.Request, init?: globalThis.RequestInit): Promise<Outgoing> {
  if (!(input instanceof globalThis.Request)) return { ...(init as unknown as RequestInit), url: String(input) };
  const body: BodyInit | null = input.body === null ? null : await input.arrayBuffer();
  return { url: input.url, method: input.method, headers: [...input.headers], body, signal: input.signal };
}
