// Serves MCP requests of all protocol revisions, with a new SDK server per request. Does not depend on the tools: the factory
// of the server is a parameter. app.ts has checked body and caller before.
import type { IncomingHttpHeaders } from 'node:http';
import {
  type AuthInfo,
  createMcpHandler,
  isLegacyRequest,
  type McpHandlerRequestOptions,
  type McpServerFactory,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import type { Request as NodeRequest, RequestHandler } from 'express';
import { GatewayError } from '../errors.ts';
import { isRecord } from '../ground/json.ts';
import type { Logger } from '../log.ts';
import { MAX_PROGRESS_TOKEN_CHARS, normalizeMessage, requestIdIn } from '../mcp/message.ts';
import { answerFormFor } from './accept.ts';
import { BlocksApart } from './apart.ts';
import { DirectTransport } from './direct.ts';
import type { RequestTurns } from './turns.ts';
import { type Answer, GONE, sendAnswer, toWebRequest } from './web.ts';

export type McpEndpoint = { readonly handle: RequestHandler; close(): Promise<void> };

type McpEndpointOptions = {
  /** Requests that arrive together start in turns, so that the event loop can serve others between them. */
  readonly turns: RequestTurns;
  readonly log: Logger;
};

export function createMcpEndpoint(factory: McpServerFactory, { turns, log }: McpEndpointOptions): McpEndpoint {
  const onerror = (error: Error) => log.debug({ err: error }, 'mcp');
  const onModern = (responseMode: 'auto' | 'sse') =>
    createMcpHandler(factory, { legacy: 'reject', responseMode, onerror });
  const modern = { any: onModern('auto'), stream: onModern('sse') };
  const fetch = async (request: Request, options: McpHandlerRequestOptions): Promise<Answer> => {
    const form = answerFormFor(request.headers.get('accept') ?? undefined) === 'stream' ? 'stream' : 'any';
    const prepared = prepareRequest(request, options.parsedBody);
    const answer = (await isLegacyRequest(prepared, options.parsedBody))
      ? await serveLegacy(factory, prepared, options, form)
      : await modern[form].fetch(new Request(prepared.url, prepared), options);
    return answer instanceof Response ? withRequestId(answer, options.parsedBody) : answer;
  };
  return {
    async handle(request, response) {
      const form = answerFormFor(request.headers.accept);
      if (form === undefined) throw new GatewayError('not_acceptable');
      // Some clients send an empty header before the revision is negotiated.
      if (request.headers[REVISION_HEADER] === '') delete request.headers[REVISION_HEADER];
      const body: unknown = request.body;
      const message = Array.isArray(body)
        ? checkBatch(body, request.headers).map(normalizeMessage)
        : normalizeMessage(body);
      // Progress notifications need an event stream.
      if (form === 'json') dropProgressToken(message);
      const { auth, id } = request as { auth?: AuthInfo; id?: string };
      const turn = () => turns.pass(request, auth?.clientId ?? '', id);
      const left = new AbortController();
      // Ending a run takes time as well, so clients that disconnect together take turns.
      response.once('close', () => {
        if (!response.writableFinished) void turn().then(() => left.abort(GONE));
      });
      turns.noteActive(auth?.clientId ?? '');
      await turn();
      if (response.destroyed) return;
      const apart = new BlocksApart();
      if (auth?.extra) auth.extra.setApart = apart.set;
      const answer = await fetch(toWebRequest(request, left.signal), optionsOf(request, message));
      await sendAnswer(answer, response, apart);
    },
    async close() {
      await Promise.all([modern.any.close(), modern.stream.close()]);
    },
  };
}

function optionsOf(request: NodeRequest, parsedBody: unknown): McpHandlerRequestOptions {
  const { auth: authInfo } = request as { auth?: AuthInfo };
  return { parsedBody, ...(authInfo && { authInfo }) };
}

const REVISION_HEADER = 'mcp-protocol-version';

/** Maximum number of messages in a batch, because each may start a run. */
const MAX_BATCH = 8;
/** The only revision with batches, and the one that is assumed for a request without the header. */
const BATCH_REVISION = '2025-03-26';

/** @throws GatewayError batch_refused */
function checkBatch(messages: readonly unknown[], headers: IncomingHttpHeaders): readonly unknown[] {
  if ((headers[REVISION_HEADER] ?? BATCH_REVISION) !== BATCH_REVISION) throw new GatewayError('batch_refused');
  if (messages.length === 0 || messages.length > MAX_BATCH)
    throw new GatewayError(
      'batch_refused',
      `A batch holds 1 to ${MAX_BATCH} messages; this one has ${messages.length}.`,
    );
  return messages;
}

function dropProgressToken(message: unknown): void {
  const meta = isRecord(message) && isRecord(message['params']) ? message['params']['_meta'] : undefined;
  if (isRecord(meta)) delete meta['progressToken'];
}

/** This revision has no `initialize`, so the SDK's modern handler answers such a request, and refuses it. */
const MODERN_REVISION = '2026-07-28';

const BOTH_FORMS = 'application/json, text/event-stream';

/**
 * The request as the SDK requires it. The SDK wants both forms in Accept, which `answerFormFor` has checked already. And a
 * client may send a newer revision in the header of its `initialize`: it is removed, because the body decides there.
 */
function prepareRequest(request: Request, body: unknown): Request {
  const accept = request.headers.get('accept') ?? '';
  const isInitialize =
    isRecord(body) && body['method'] === 'initialize' && request.headers.get(REVISION_HEADER) !== MODERN_REVISION;
  const takesBoth = accept.includes('application/json') && accept.includes('text/event-stream');
  if (takesBoth && !(isInitialize && request.headers.has(REVISION_HEADER))) return request;
  const headers = new Headers(request.headers);
  headers.set('accept', BOTH_FORMS);
  if (isInitialize) headers.delete(REVISION_HEADER);
  return { ...request, headers };
}

/** The SDK responds with `id: null` if it refuses a request before reading the message; clients wait for their own id. */
async function withRequestId(response: Response, message: unknown): Promise<Response> {
  const id = requestIdIn(message);
  if (response.ok || id === null || !/json/.test(response.headers.get('content-type') ?? '')) return response;
  const body: unknown = await response.json();
  return Response.json(isRecord(body) && body['id'] === null ? { ...body, id } : body, {
    status: response.status,
    headers: response.headers,
  });
}

/** The SDK responds with an object, not a list, to a batch with a single request. */
async function asBatch(response: Response): Promise<Response> {
  if (response.status !== 200) return response;
  // Not parsed, because it may be megabytes.
  const json = await response.text();
  return new Response(json.startsWith('[') ? json : `[${json}]`, { headers: response.headers });
}

/**
 * Used instead of the SDK's own legacy handler, which always responds with SSE. Plain JSON is easier for proxies and people,
 * and most of these clients accept it; SSE is for callers that asked for progress.
 */
async function serveLegacy(
  factory: McpServerFactory,
  request: Request,
  options: McpHandlerRequestOptions,
  form: 'any' | 'stream',
): Promise<Answer> {
  // If the client has disconnected already, there is no further abort event that would end its run.
  if (request.signal.aborted) return new Response(null, { status: 499 });
  const server = await factory({
    era: 'legacy',
    requestInfo: request,
    ...(options.authInfo && { authInfo: options.authInfo }),
  });
  const streaming = form === 'stream' || wantsProgress(options.parsedBody);
  const direct = streaming || Array.isArray(options.parsedBody) ? undefined : new DirectTransport();
  const transport = direct ?? new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: !streaming });
  const close = () => void server.close();
  // The promise of the JSON response never settles once the server is closed, so a disconnect must end the race.
  const gone = new Promise<Response>(resolve => {
    request.signal.addEventListener('abort', () => {
      close();
      resolve(new Response(null, { status: 499 }));
    });
  });
  await server.connect(transport);
  const answered = direct?.answer.then(message => ({ json: JSON.stringify(message) }));
  const ways: Promise<Answer>[] = [transport.handleRequest(request, options), gone];
  const response = await Promise.race(answered === undefined ? ways : [answered, ...ways]);
  if (!streaming || !(response instanceof Response) || response.body === null) {
    close();
    return Array.isArray(options.parsedBody) && response instanceof Response ? asBatch(response) : response;
  }
  const headers = new Headers(response.headers);
  headers.set('X-Accel-Buffering', 'no');
  return new Response(response.body.pipeThrough(new TransformStream({ flush: close })), {
    status: response.status,
    headers,
  });
}

function wantsProgress(body: unknown): boolean {
  const token = (body as { params?: { _meta?: { progressToken?: unknown } } } | null)?.params?._meta?.progressToken;
  // A longer token is ignored, because it would be sent back with each message.
  return typeof token === 'number' || (typeof token === 'string' && token.length <= MAX_PROGRESS_TOKEN_CHARS);
}
