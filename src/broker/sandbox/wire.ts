// The only requests to what runs inside sandboxes: one origin a call, no redirect followed, size counted as it arrives.
// What answers there may be the agent's own program, so its answers are as hostile as the agent's code. Knows no service.
import { Agent, type BodyInit, type RequestInit, Response, fetch as send } from 'undici';
import { GatewayError } from '../../errors.ts';

export type WireOptions = {
  /** What the address must have: scheme, host and port of the sandbox. */
  readonly origin: string;
  readonly signal: AbortSignal;
  /** Body of one answer; one byte more ends it. */
  readonly maxAnswerBytes: number;
};

/** A `fetch` that reaches one origin. `fault` is why it broke an answer off: clients wrap errors beyond recognition. */
export type Wire = {
  readonly fetch: (input: string | URL | globalThis.Request, init?: globalThis.RequestInit) => Promise<Response>;
  readonly fault: GatewayError | undefined;
};

export type WireFactory = { open(options: WireOptions): Wire; close(): Promise<void> };

/** One for the process: connections are shared, nothing else. */
export function createWireFactory(): WireFactory {
  // Streams of commands are long and silent: each call keeps its own time.
  const agent = new Agent({ allowH2: true, connections: 256, headersTimeout: 0, bodyTimeout: 0 });

  const open = ({ origin, signal, maxAnswerBytes }: WireOptions): Wire => {
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
        return bounded(response, maxAnswerBytes, error => {
          state.fault = error;
        });
      },
    };
  };

  return { open, close: () => agent.destroy() };
}

/** 3xx with a Location: to follow it would let the sandbox send the gateway anywhere. */
export const isRedirect = (response: Response) => response.status >= 300 && response.status < 400;

function bounded(response: Response, maxBytes: number, onFault: (error: GatewayError) => void): Response {
  if (response.body === null) return response;
  let bytes = 0;
  const counted = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.byteLength;
        if (bytes <= maxBytes) return controller.enqueue(chunk);
        const error = new GatewayError(
          'answer_too_large',
          `The answer is larger than ${maxBytes} bytes. Ask for less.`,
        );
        onFault(error);
        controller.error(error);
      },
    }),
  );
  const { status, statusText, headers } = response;
  return new Response(counted, { status, statusText, headers });
}

type Outgoing = RequestInit & { readonly url: string };

/** Clients hand over strings or the platform's own Request, which is foreign to the library that sends. */
async function requestOf(input: string | URL | globalThis.Request, init?: globalThis.RequestInit): Promise<Outgoing> {
  if (!(input instanceof globalThis.Request)) return { ...(init as unknown as RequestInit), url: String(input) };
  const body: BodyInit | null = input.body === null ? null : await input.arrayBuffer();
  return { url: input.url, method: input.method, headers: [...input.headers], body, signal: input.signal };
}
