// The Express app: checks host, origin, caller, limits and body of a request in this order, and answers every error with the
// right status. Does not depend on tools or E2B: the MCP endpoint and the debug page are parameters.
import { isJsonContentType, validateHostHeader, validateOriginHeader } from '@modelcontextprotocol/server';
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler } from 'express';
import { GatewayError, toGatewayError } from '../errors.ts';
import type { MemoryBudget } from '../ground/memory-budget.ts';
import type { Logger } from '../log.ts';
import type { Authenticator } from './auth/bearer.ts';
import { checkCaller } from './auth/caller.ts';
import { readMessage } from './body.ts';
import type { DebugInfo } from './debug.ts';
import type { Drain } from './drain.ts';
import { writeJsonFault } from './faults.ts';
import type { MetricsPage } from './metrics.ts';
import { noteCode, observe, type RequestRecord } from './observe.ts';
import type { Page } from './page.ts';
import { allowedMethods, createRoutes, labelsOf, MCP_PATH, type Route } from './routes.ts';
import { closeStalled } from './stalled.ts';
import type { Unpacker } from './unpacker.ts';

export type AppOptions = {
  readonly auth: Authenticator;
  readonly mcp: RequestHandler;
  /** Undefined: /debug/endpoints is not served. */
  readonly debug: (() => DebugInfo) | undefined;
  /** Undefined: /metrics is not served. */
  readonly metrics: MetricsPage | undefined;
  /** Called when a request has ended. */
  readonly onRequest?: (record: RequestRecord) => void;
  /** The rate limiter; runs after the caller is authenticated. */
  readonly limits: RequestHandler;
  /** Routes of the OAuth front; without them, only API keys are accepted. */
  readonly signIn?: readonly Route[];
  /** The web page; without it, paths that are no endpoint get a JSON error. */
  readonly page?: Page | undefined;
  readonly drain: Drain;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly maxBodyBytes: number;
  /** Memory for bodies, counted per caller. */
  readonly memory?: MemoryBudget;
  /** Without it, compressed bodies are refused. */
  readonly unpacker?: Unpacker;
  /** How long a client may stop reading a response before its connection is closed. */
  readonly stalledMs?: number;
  /** Express's "trust proxy": hops or addresses. */
  readonly trustProxy: number | readonly string[];
  readonly log: Logger;
};

const id = (request: Request): string => (request as Request & { id: string }).id;

export function createApp(options: AppOptions): Express {
  const { auth, debug, drain, limits, log, maxBodyBytes, memory, metrics, onRequest, unpacker } = options;
  const routes = createRoutes({
    mcp: [readMessage({ maxBytes: maxBodyBytes, memory, unpacker }), checkMediaType, checkMessage, options.mcp],
    isDraining: () => drain.draining,
    debug,
    metrics,
    signIn: options.signIn ?? [],
    page: options.page?.routes ?? [],
  });
  const app = express().disable('x-powered-by').disable('etag').set('trust proxy', options.trustProxy);
  const serve = (selected: (route: Route) => boolean) => {
    for (const { method, path, auth: access, handlers } of routes.filter(selected)) {
      const border = access === 'bearer' ? [checkCaller(auth), limits] : [];
      // A shutdown waits for POST requests, because they may have started something.
      if (method === 'POST') app.post(path, drain.count, ...border, ...handlers);
      else app.get(path, ...border, ...handlers);
    }
  };

  app.use(observe({ log, labelOf: labelsOf(routes), ...(onRequest && { onRequest }) }));
  app.use(closeStalled(options.stalledMs), drain.closeConnections, refuseManyHeaders, requireHost);
  serve(({ host }) => host === 'any');
  app.use(checkHost(options), openToAnyOrigin(routes));
  serve(({ host, origin }) => host === 'allowed' && (origin === 'any' || origin === 'own'));
  app.use(checkOrigin(options), crossOrigin(routes));
  serve(({ host, origin = 'allowed' }) => host === 'allowed' && origin === 'allowed');
  for (const [path, allow] of allowedMethods(routes)) app.all(path, refuseMethod(allow, options.page));
  app.use(() => {
    throw new GatewayError('not_found');
  });
  app.use(answerFault(options, routes));
  return app;
}

/** Clients and proxies send some dozens of headers. Each takes more time on the main thread than its bytes. */
export const MAX_HEADERS = 200;

const refuseManyHeaders: RequestHandler = ({ rawHeaders }, _response, next) => {
  if (rawHeaders.length >= 2 * MAX_HEADERS) throw new GatewayError('headers_too_large');
  next();
};

/** At most one Host header is allowed, and HTTP/1.1 requires one. An empty one is left to `checkHost`. */
const requireHost: RequestHandler = ({ httpVersion, rawHeaders }, _response, next) => {
  const hosts = rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host').length;
  if (hosts > 1 || (httpVersion === '1.1' && hosts === 0)) throw new GatewayError('request_malformed');
  next();
};

const refuseMethod =
  (allow: string, page: Page | undefined): RequestHandler =>
  (request, response, next) => {
    const { path, method } = request;
    response.set('Allow', allow);
    // A browser that opens the endpoint gets the same status, with a page that explains it.
    if (page !== undefined && path === MCP_PATH && method === 'GET' && isBrowser(request)) {
      response.status(405);
      return page.signpost(path)(request, response, next);
    }
    throw new GatewayError('method_not_allowed', path === MCP_PATH ? undefined : `Use ${allow} here.`);
  };

/** MCP clients accept JSON or event streams, not HTML. */
const isBrowser = ({ headers }: Request): boolean => /\btext\/html\b/i.test(headers.accept ?? '');

/** Against DNS rebinding: a web page must not reach a gateway on the same machine through a host name of its own. */
function checkHost({ allowedHosts }: AppOptions): RequestHandler {
  const hosts = [...allowedHosts];
  const any = hosts.includes('*');
  return (request, _response, next) => {
    if (!any && !validateHostHeader(request.headers.host, hosts).ok) throw new GatewayError('host_refused');
    next();
  };
}

function checkOrigin({ allowedOrigins }: AppOptions): RequestHandler {
  const origins = [...allowedOrigins];
  const any = origins.includes('*');
  return (request, _response, next) => {
    if (!any && !validateOriginHeader(request.headers.origin, origins).ok) throw new GatewayError('origin_refused');
    next();
  };
}

/** Routes that any web page may call: they use no cookies, and their responses are public. */
function openToAnyOrigin(routes: readonly Route[]): RequestHandler {
  const open = new Map(
    routes.flatMap(({ origin, path, method }) => (origin === 'any' ? [[path, method] as const] : [])),
  );
  return ({ path, method, headers }, response, next) => {
    const allowed = open.get(path);
    if (allowed === undefined) return next();
    response.set({
      'Access-Control-Allow-Origin': '*',
      'Access-Control-Expose-Headers': 'WWW-Authenticate, X-Request-Id, Retry-After',
    });
    if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) return next();
    response
      .set({
        'Access-Control-Allow-Methods': allowed,
        'Access-Control-Allow-Headers': 'Authorization, Content-Type, MCP-Protocol-Version',
        'Access-Control-Max-Age': '600',
      })
      .status(204)
      .end();
  };
}

/** For clients in browsers (the Inspector's direct mode): an origin that passed checkOrigin may read the response. */
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

/** Runs after the body is parsed, so that the error response can have the message's id. */
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
    throw new GatewayError('message_invalid');
  next();
};

/** The GatewayError for anything that a handler throws. */
function faultOf(caught: unknown, request: Request): GatewayError {
  // Express throws it for a path that is not UTF-8.
  if (caught instanceof URIError) return new GatewayError('not_found');
  const error = toGatewayError(caught);
  const unread = error.code === 'body_invalid' || error.code === 'message_invalid';
  return unread && !isJson(request) ? new GatewayError('media_type_unsupported') : error;
}

function answerFault({ auth, log }: AppOptions, routes: readonly Route[]): ErrorRequestHandler {
  const writers = new Map(routes.map(({ path, writeFault }) => [path, writeFault]));
  return (caught, request, response, _next) => {
    const error = faultOf(caught, request);
    const requestId = id(request);
    noteCode(response, error.code);
    if (error.code === 'internal') log.error({ err: error.cause, req: { id: requestId } }, 'request failed');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (error.status === 401 && request.path === MCP_PATH) response.set('WWW-Authenticate', auth.challenge(error));
    if (error.retryAfterMs !== undefined) response.set('Retry-After', String(Math.ceil(error.retryAfterMs / 1000)));
    // The rest of a body that was not read would be parsed as the next request, so the connection is closed.
    if (error.code === 'draining' || !request.complete) response.set('Connection', 'close');
    const write = writers.get(request.path) ?? writeJsonFault;
    write(error, response, requestId);
  };
}
