// The SDK's transport for one message of an earlier revision, with all its checks. The one answer is handed over as it is:
// as a web Response, its text would become a stream first, and bytes, and be read from it again.
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
