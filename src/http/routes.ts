// Every route of the gateway, one record each. app.ts serves them and answers 405 with `Allow`. /debug/endpoints, the
// labels of metrics and spans, and the documentation are made from the same records.
import type { RequestHandler, Response } from 'express';
import type { GatewayError } from '../errors.ts';
import { type DebugInfo, describeEndpoints } from './debug.ts';
import { writeRpcFault } from './faults.ts';
import { type MetricsPage, serveMetrics } from './metrics.ts';

export type Route = {
  readonly method: 'GET' | 'POST';
  /** The path, which must match exactly. */
  readonly path: string;
  /** `bearer`: callers are authenticated and rate limited. */
  readonly auth: 'none' | 'bearer';
  /** `any`: served under any Host name, for probes that use an IP address. */
  readonly host: 'any' | 'allowed';
  /**
   * Which web pages may call the route: those of the origins that the operator allows (the default), those of any origin
   * (without credentials), or those that the route itself allows.
   */
  readonly origin?: 'allowed' | 'any' | 'own';
  /** Shown in /debug/endpoints and in the documentation. */
  readonly description: string;
  /** The name of the route in metrics and spans. Default: the path. */
  readonly label?: string;
  /** Writes an error response. Default: the gateway's JSON. */
  readonly writeFault?: (error: GatewayError, response: Response, requestId: string) => void;
  readonly handlers: readonly RequestHandler[];
};

export const MCP_PATH = '/mcp';

export type RouteParts = {
  readonly mcp: readonly RequestHandler[];
  readonly isDraining: () => boolean;
  /** Undefined: /debug/endpoints is not served. */
  readonly debug: (() => DebugInfo) | undefined;
  /** Undefined: /metrics is not served. */
  readonly metrics: MetricsPage | undefined;
  /** The routes of the OAuth front. */
  readonly signIn: readonly Route[];
  /** The routes of the web page. */
  readonly page: readonly Route[];
};

export function createRoutes({ mcp, isDraining, debug, metrics, signIn, page }: RouteParts): readonly Route[] {
  const open = { method: 'GET', auth: 'none', host: 'any' } as const;
  const routes: Route[] = [
    {
      method: 'POST',
      path: MCP_PATH,
      auth: 'bearer',
      host: 'allowed',
      description: 'MCP over streamable HTTP, stateless.',
      writeFault: writeRpcFault,
      handlers: mcp,
    },
    {
      ...open,
      path: '/healthz',
      description: 'The process is alive.',
      handlers: [(_request, response) => void response.json({ status: 'ok' })],
    },
    {
      ...open,
      path: '/readyz',
      description: 'The process accepts requests: 200, or 503 while it drains.',
      handlers: [
        (_request, response) => {
          const draining = isDraining();
          response.status(draining ? 503 : 200).json({ status: draining ? 'draining' : 'ready' });
        },
      ],
    },
    ...signIn,
    ...page,
  ];
  if (debug)
    routes.push({
      ...open,
      path: '/debug/endpoints',
      host: 'allowed',
      description: 'This page: routes, tools, status.',
      handlers: [(_request, response) => void response.json(describeEndpoints(debug(), routes))],
    });
  if (metrics)
    routes.push({
      ...open,
      path: '/metrics',
      host: metrics.anyHost ? 'any' : 'allowed',
      description: 'Metrics for Prometheus.',
      handlers: [serveMetrics(metrics)],
    });
  return routes;
}

/** Path -> the value of `Allow`. Express serves HEAD for every GET route. */
export function allowedMethods(routes: readonly Route[]): ReadonlyMap<string, string> {
  const methods = new Map<string, string[]>();
  for (const { path, method } of routes) {
    const known = methods.get(path) ?? [];
    methods.set(path, [...known, ...(method === 'GET' ? ['GET', 'HEAD'] : [method])]);
  }
  return new Map([...methods].map(([path, list]) => [path, list.join(', ')]));
}

/** Path -> label. There must be few labels, and none may contain text of a caller, so all other paths share one. */
export function labelsOf(routes: readonly Route[]): (path: string) => string {
  const labels = new Map(routes.map(({ path, label = path }) => [path, label]));
  return path => labels.get(path) ?? 'other';
}
