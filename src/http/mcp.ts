// Serves MCP over one HTTP exchange, in both protocol eras, with a fresh server per request. Knows nothing of tools:
// it is handed the factory. Body and caller have been checked by app.ts.
import { toNodeHandler, toWebRequest } from '@modelcontextprotocol/node';
import {
  createMcpHandler,
  isLegacyRequest,
  type McpHandlerRequestOptions,
  type McpServerFactory,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import type { RequestHandler } from 'express';
import { GatewayError } from '../errors.ts';
import type { Logger } from '../log.ts';

export type McpEndpoint = { readonly handle: RequestHandler; close(): Promise<void> };

export function createMcpEndpoint(factory: McpServerFactory, { log }: { log: Logger }): McpEndpoint {
  const onerror = (error: Error) => log.debug({ err: error }, 'mcp');
  const modern = createMcpHandler(factory, { legacy: 'reject', onerror });
  const fetch = async (request: Request, options: McpHandlerRequestOptions = {}) =>
    (await isLegacyRequest(request, options.parsedBody))
      ? serveLegacy(factory, request, options)
      : modern.fetch(request, options);
  const node = toNodeHandler({ fetch }, { onerror: error => log.error({ err: error }, 'mcp request failed') });
  return {
    async handle(request, response) {
      // The SDK's legacy leg would refuse it too, in another form than our other faults.
      if (
        !takesBoth(request.headers.accept) &&
        (await isLegacyRequest(await toWebRequest(request, request.body), request.body))
      )
        throw new GatewayError('not_acceptable');
      await node(request, response, request.body);
    },
    close: () => modern.close(),
  };
}

const takesBoth = (accept = '') => accept.includes('application/json') && accept.includes('text/event-stream');

/**
 * The SDK's own legacy leg always answers SSE. Most clients of that era take plain JSON, which proxies and people read
 * more easily; SSE is for callers who asked for progress.
 */
async function serveLegacy(
  factory: McpServerFactory,
  request: Request,
  options: McpHandlerRequestOptions,
): Promise<Response> {
  // Whoever left before this point fires no abort any more, and nobody would end their run.
  if (request.signal.aborted) return new Response(null, { status: 499 });
  const server = await factory({
    era: 'legacy',
    requestInfo: request,
    ...(options.authInfo && { authInfo: options.authInfo }),
  });
  const streaming = wantsProgress(options.parsedBody);
  const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: !streaming });
  const close = () => void server.close();
  // The JSON answer's promise never settles once the server is closed, so the disconnect has to win the race itself.
  const gone = new Promise<Response>(resolve => {
    request.signal.addEventListener('abort', () => {
      close();
      resolve(new Response(null, { status: 499 }));
    });
  });
  await server.connect(transport);
  const response = await Promise.race([transport.handleRequest(request, options), gone]);
  if (!streaming || response.body === null) {
    close();
    return response;
  }
  const headers = new Headers(response.headers);
  headers.set('X-Accel-Buffering', 'no');
  return new Response(response.body.pipeThrough(new TransformStream({ flush: close })), {
    status: response.status,
    headers,
  });
}

/** mcp/server.ts holds to the same. */
const MAX_TOKEN_CHARS = 256;

function wantsProgress(body: unknown): boolean {
  const token = (body as { params?: { _meta?: { progressToken?: unknown } } } | null)?.params?._meta?.progressToken;
  // A longer one would go out again with each message: nobody asks in earnest.
  return typeof token === 'number' || (typeof token === 'string' && token.length <= MAX_TOKEN_CHARS);
}
