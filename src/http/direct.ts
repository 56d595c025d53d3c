// The SDK's transport, with all its checks, for one message of an earlier revision. It returns the response message itself:
// in a web Response, the text would be turned into a stream of bytes and read from it again.
import {
  isJSONRPCErrorResponse,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import type { PlainTransport } from '../mcp/request-server.ts';
import { inPlainWords } from '../mcp/rpc-errors.ts';

export class DirectTransport extends WebStandardStreamableHTTPServerTransport implements PlainTransport {
  readonly sendsPlainErrors = true;
  readonly answer: Promise<JSONRPCMessage>;
  readonly #answered: (message: JSONRPCMessage) => void;

  constructor() {
    super({ enableJsonResponse: true });
    const { promise, resolve } = deferred<JSONRPCMessage>();
    this.answer = promise;
    this.#answered = resolve;
  }

  override async send(
    message: JSONRPCMessage,
    options?: Parameters<WebStandardStreamableHTTPServerTransport['send']>[1],
  ): Promise<void> {
    if (isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message)) this.#answered(inPlainWords(message));
    else await super.send(message, options);
  }
}

function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: ((value: T) => void) | undefined;
  const promise = new Promise<T>(settle => {
    resolve = settle;
  });
  return { promise, resolve: value => resolve?.(value) };
}
