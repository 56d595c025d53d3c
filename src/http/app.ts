// The HTTP border: who may call, with what, how much; every fault as JSON with the right status. Knows nothing of
// tools or E2B: the MCP endpoint and the debug page are handed in.
import { isJsonContentType, validateHostHeader, validateOriginHeader } from '@modelcontextprotocol/server';
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler } from 'express';
import { GatewayError, toGatewayError } from '../errors.ts';
import type { MemoryBudget } from '../ground/memory-budget.ts';
import type { Logger } from '../log.ts';
import { requestIdIn } from '../mcp/message.ts';
import type { Authenticator } from './auth/bearer.ts';
import { checkCaller } from './auth/caller.ts';
import { readMessage } from './body.ts';
import type { DebugInfo } from './debug.ts';
import type { Drain } from './drain.ts';
import type { MetricsPage } from './metrics.ts';
import { noteCode, observe, type RequestRecord } from './observe.ts';
import { allowedMethods, createRoutes, labelsOf, MCP_PATH, type Route } from './routes.ts';
import { closeStalled } from './stalled.ts';

export type AppOptions = {
  readonly auth: Authenticator;
  readonly mcp: RequestHandler;
  /** Undefined: no /debug/endpoints. */
  readonly debug: (() => DebugInfo) | undefined;
  /** Undefined: no /metrics. */
  readonly metrics: MetricsPage | undefined;
  /** Told of each request when it is over. */
  readonly onRequest?: (record: RequestRecord) => void;
  /** Stands behind the check of the key. */
  readonly limits: RequestHandler;
  readonly drain: Drain;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly maxBodyBytes: number;
  /** Bodies are held at their callers' expense. */
  readonly memory?: MemoryBudget;
  /** How long a client may take nothing of an answer that is there. */
  readonly stalledMs?: number;
  /** Express's "trust proxy": hops or addresses. */
  readonly trustProxy: number | readonly string[];
  readonly log: Logger;
};

const id = (request: Request): string => (request as Request & { id: string }).id;

export function createApp(options: AppOptions): Express {
  const { auth, debug, drain, limits, log, maxBodyBytes, memory, metrics, onRequest } = options;
  const routes = createRoutes({
    mcp: [readMessage({ maxBytes: maxBodyBytes, memory }), checkMediaType, checkMessage, options.mcp],
    isDraining: () => drain.draining,
    debug,
    metrics,
  });
  const app = express().disable('x-powered-by').disable('etag').set('trust proxy', options.trustProxy);
  const serve = ({ method, path, auth: access, handlers }: Route) => {
    const border = access === 'bearer' ? [drain.count, checkCaller(auth), limits] : [];
    app[method === 'GET' ? 'get' : 'post'](path, ...border, ...handlers);
  };

  app.use(observe({ log, labelOf: labelsOf(routes), ...(onRequest && { onRequest }) }));
  app.use(closeStalled(options.stalledMs), drain.letGo);
  for (const route of routes) if (route.host === 'any') serve(route);
  app.use(checkHost(options), crossOrigin(routes));
  for (const route of routes) if (route.host === 'allowed') serve(route);
  for (const [path, allow] of allowedMethods(routes)) app.all(path, refuseMethod(allow));
  app.use(() => {
    throw new GatewayError('not_found');
  });
  app.use(answerFault(options));
  return app;
}

const refuseMethod =
  (allow: string): RequestHandler =>
  ({ path }, response) => {
    response.set('Allow', allow);
    throw new GatewayError('method_not_allowed', path === MCP_PATH ? undefined : `Use ${allow} here.`);
  };

/** Against DNS rebinding: a page in a browser must not reach a gateway on the same machine by a name of its own. */
function checkHost({ allowedHosts, allowedOrigins }: AppOptions): RequestHandler {
  const [hosts, origins] = [[...allowedHosts], [...allowedOrigins]];
  const [anyHost, anyOrigin] = [hosts.includes('*'), origins.includes('*')];
  return (request, _response, next) => {
    if (!anyHost && !validateHostHeader(request.headers.host, hosts).ok) throw new GatewayError('host_refused');
    if (!anyOrigin && !validateOriginHeader(request.headers.origin, origins).ok)
      throw new GatewayError('origin_refused');
    next();
  };
}

/** Browser clients (the Inspector's direct mode): an origin that passed checkHost may read what it gets. */
function crossOrigin(routes: readonly Route[]): RequestHandler {
  const methods = [...new Set(routes.map(({ method }) => method))].join(', ');
  return (request, response, next) => {
    const { origin } = request.headers;
    if (origin !== undefined) {
      response.set({
        'Access-Control-Allow-Origin': origin,
        Vary: 'Origin',
        'Access-Control-Expose-Headers': 'WWW-Authenticate, X-Request-Id, Retry-After',
      });
      if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined) {
        const asked = request.headers['access-control-request-headers'];
        response.set({
          'Access-Control-Allow-Methods': methods,
          'Access-Control-Max-Age': '600',
          ...(asked !== undefined && { 'Access-Control-Allow-Headers': asked }),
        });
        response.status(204).end();
        return;
      }
    }
    next();
  };
}

/** Behind the parser, so that the refusal can carry the message's id. */
const checkMediaType: RequestHandler = (request, _response, next) => {
  if (!isJson(request)) throw new GatewayError('media_type_unsupported');
  next();
};

function isJson({ headers }: Request): boolean {
  const type = headers['content-type'] ?? '';
  const charset = /;\s*charset\s*=\s*"?([\w-]+)/i.exec(type)?.[1] ?? 'utf-8';
  return isJsonContentType(type) && /^(?:utf-?8|us-ascii)$/i.test(charset);
}

const checkMessage: RequestHandler = (request, _response, next) => {
  const body: unknown = request.body;
  if (typeof body !== 'object' || body === null || Object.keys(body).length === 0)
    throw new GatewayError('body_invalid');
  next();
};

/** What is thrown around the parser, in our words. */
function faultOf(caught: unknown, request: Request): GatewayError {
  // Express, for a path that is no UTF-8.
  if (caught instanceof URIError) return new GatewayError('not_found');
  const error = toGatewayError(caught);
  return error.code === 'body_invalid' && !isJson(request) ? new GatewayError('media_type_unsupported') : error;
}

/** JSON-RPC's numbers for the faults that MCP clients see; none of ours lies in the range MCP reserves. */
const rpcCode = (error: GatewayError): number =>
  error.code === 'body_invalid'
    ? -32700
    : error.code === 'params_invalid'
      ? -32602
      : error.fault === 'gateway'
        ? -32603
        : -32600;

function answerFault({ auth, log }: AppOptions): ErrorRequestHandler {
  return (caught, request, response, _next) => {
    const error = faultOf(caught, request);
    noteCode(response, error.code);
    if (error.code === 'internal') log.error({ err: error.cause, req: { id: id(request) } }, 'request failed');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (error.status === 401) response.set('WWW-Authenticate', auth.challenge);
    if (error.retryAfterMs !== undefined) response.set('Retry-After', String(Math.ceil(error.retryAfterMs / 1000)));
    // An unread body would be taken for the next request: let the connection go with the answer.
    if (error.code === 'draining' || !request.complete) response.set('Connection', 'close');
    const data = { code: error.code, requestId: id(request) };
    response.status(error.status).json(
      request.path === MCP_PATH
        ? {
            jsonrpc: '2.0',
            id: requestIdIn(request.body),
            error: { code: rpcCode(error), message: error.message, data },
          }
        : { error: { ...data, message: error.message } },
    );
  };
}
