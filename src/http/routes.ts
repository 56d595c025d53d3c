// Every route of the gateway, one record each. app.ts serves them and answers 405 with `Allow`; /debug/endpoints, the
// labels of metrics and spans, and the documents read the same records.
import type { RequestHandler, Response } from 'express';
import type { GatewayError } from '../errors.ts';
import { type DebugInfo, describeEndpoints } from './debug.ts';
import { writeRpcFault } from './faults.ts';
import { type MetricsPage, serveMetrics } from './metrics.ts';

export type Route = {
  readonly method: 'GET' | 'POST';
  /** Matched exactly. */
  readonly path: string;
  /** `bearer`: callers are authenticated and rate limited, and a drain waits for their requests. */
  readonly auth: 'none' | 'bearer';
  /** `any`: served under any Host name, for probes that call by address. */
  readonly host: 'any' | 'allowed';
  /**
   * Which pages may call from a browser: of the origins the operator allows (the default), of any origin, without
   * credentials, or only those that the route itself lets.
   */
  readonly origin?: 'allowed' | 'any' | 'own';
  /** For people who read /debug/endpoints and the documents. */
  readonly description: string;
  /** What metrics and spans call it. Default: the path. */
  readonly label?: string;
  /** How a fault is answered. Default: our JSON. */
  readonly writeFault?: (error: GatewayError, response: Response, requestId: string) => void;
  readonly handlers: readonly RequestHandler[];
};

export const MCP_PATH = '/mcp';

export type RouteParts = {
  readonly mcp: readonly RequestHandler[];
  readonly isDraining: () => boolean;
  /** Undefined: no /debug/endpoints. */
  readonly debug: (() => DebugInfo) | undefined;
  /** Undefined: no /metrics. */
  readonly metrics: MetricsPage | undefined;
  /** Of the OAuth front. */
  readonly signIn: readonly Route[];
  /** Of the page for people. */
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
      description: 'The process takes requests: 200, or 503 while it drains.',
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
      description: 'Figures for Prometheus.',
      handlers: [serveMetrics(metrics)],
    });
  return routes;
}

/** Path -> the value of `Allow`. Express answers HEAD wherever there is a GET. */
export function allowedMethods(routes: readonly Route[]): ReadonlyMap<string, string> {
  const methods = new Map<string, string[]>();
  for (const { path, method } of routes) {
    const known = methods.get(path) ?? [];
    methods.set(path, [...known, ...(method === 'GET' ? ['GET', 'HEAD'] : [method])]);
  }
  return new Map([...methods].map(([path, list]) => [path, list.join(', ')]));
}

/** Path -> label. Labels must stay few and hold nothing a caller wrote, so all other paths share one. */
export function labelsOf(routes: readonly Route[]): (path: string) => string {
  const labels = new Map(routes.map(({ path, label = path }) => [path, label]));
  return path => labels.get(path) ?? 'other';
}
