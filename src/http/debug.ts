// GET /debug/endpoints: what this process serves and how it is doing. Public by design, so it holds no secret, no key
// and nothing of any caller.
import type { EngineStats } from '../engine/engine.ts';

export type DebugInfo = {
  readonly version: string;
  readonly tools: readonly string[];
  readonly publicUrl: string | undefined;
  readonly engine: string;
  readonly engineStats: EngineStats;
  readonly logLevel: string;
  readonly openRequests: number;
  readonly draining: boolean;
  /** Title, version, operations; age and the last fault too where it is refreshed. */
  readonly description: Readonly<Record<string, unknown>>;
};

const ENDPOINTS = [
  { method: 'POST', path: '/mcp', auth: 'bearer', description: 'MCP over streamable HTTP, stateless.' },
  { method: 'GET', path: '/healthz', auth: 'none', description: 'The process is alive.' },
  {
    method: 'GET',
    path: '/readyz',
    auth: 'none',
    description: 'The process takes requests: 200, or 503 while it drains.',
  },
  { method: 'GET', path: '/debug/endpoints', auth: 'none', description: 'This page.' },
] as const;

const METRICS = { method: 'GET', path: '/metrics', auth: 'none', description: 'Figures for Prometheus.' } as const;

export function describeEndpoints(info: DebugInfo, { metrics }: { metrics: boolean }): unknown {
  const { version, tools, description, ...status } = info;
  return {
    endpoints: metrics ? [...ENDPOINTS, METRICS] : ENDPOINTS,
    tools,
    description,
    status: {
      version,
      pid: process.pid,
      node: process.version,
      uptimeSeconds: Math.round(process.uptime()),
      ...status,
    },
  };
}
