// The SDK's transport, with all its checks, for one message of an earlier revision. It returns the response message itself:
// in a web Response, the text would be turned into a stream of bytes and read from it again.
import {
  isJSONRPCErrorResponse,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';

export class DirectTransport extends WebStandardStreamableHTTPServerTransport {
  readonly answer: Promise<JSONRPCMessage>;
  #answered: (message: JSONRPCMessage) => void = () => undefined;

  constructor() {
    super({ enableJsonResponse: true });
    this.answer = new Promise(resolve => {
      this.#answered = resolve;
    });
  }

  override async send(
    message: JSONRPCMessage,
    options?: Parameters<WebStandardStreamableHTTPServerTransport['send']>[1],
  ): Promise<void> {
    if (isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message)) this.#answered(message);
    else await super.send(message, options);
  }
}
