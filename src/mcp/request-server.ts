// The SDK's server for one request, or for one stdio connection: it sends the SDK's errors about parameters in plain words,
// and releases what its handlers refer to when it closes.
import { McpServer, type Transport } from '@modelcontextprotocol/server';
import { inPlainWords } from './rpc-errors.ts';

/** A transport that rewrites the SDK's errors itself. Others get a `send` that does. */
export type PlainTransport = Transport & { readonly sendsPlainErrors: true };

/** The methods that have handlers of ours: see server.ts. */
const OUR_METHODS = ['tools/list', 'tools/call', 'prompts/list', 'resources/list', 'resources/templates/list'] as const;

export class RequestServer extends McpServer {
  override connect(transport: Transport): Promise<void> {
    if (!('sendsPlainErrors' in transport)) {
      const send = transport.send.bind(transport);
      const sendPlain: typeof send = (message, options) => send(inPlainWords(message), options);
      transport.send = sendPlain;
    }
    return super.connect(transport);
  }

  /** V8 keeps a server that was connected until a full garbage collection, so it must not refer to the request. */
  override async close(): Promise<void> {
    await super.close();
    for (const method of OUR_METHODS) this.server.removeRequestHandler(method);
  }
}
