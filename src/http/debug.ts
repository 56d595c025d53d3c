// GET /debug/endpoints: the routes, tools and status of this process. It is public, so it contains no secrets, no keys and
// nothing about any caller.
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
  /** Title, version and number of operations; age and last error too if the description is refreshed. */
  readonly description: Readonly<Record<string, unknown>>;
};

type Endpoint = {
  readonly method: string;
  readonly path: string;
  readonly auth: string;
  readonly description: string;
};

export function describeEndpoints(info: DebugInfo, routes: readonly Endpoint[]): unknown {
  const { version, tools, description, ...status } = info;
  return {
    endpoints: routes.map(({ method, path, auth, description }) => ({ method, path, auth, description })),
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
