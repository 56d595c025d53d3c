// Config -> a gateway that listens: every part made and joined here, in the order a request meets them, so that this
// file reads as the architecture. Knows no environment and no signals: main.ts, the demo and the tests call it.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { preloadSchemas } from '@modelcontextprotocol/server';
import { createBroker } from './broker/broker.ts';
import type { BrokerLimits } from './broker/budget.ts';
import { createRequestCapability } from './broker/request.ts';
import { type Config, ConfigError } from './config.ts';
import type { Limits } from './engine/engine.ts';
import { createQuickjsEngine } from './engine/quickjs/engine.ts';
import { createCodeAcceptor } from './guest/acceptor.ts';
import { createApp } from './http/app.ts';
import { principalOf } from './http/auth.ts';
import { Drain } from './http/drain.ts';
import { createMcpEndpoint } from './http/mcp.ts';
import { createLimits } from './http/limits.ts';
import type { Logger } from './log.ts';
import { createMetrics } from './metrics.ts';
import { createRunTool, type OpenBroker } from './mcp/run.ts';
import { createServerFactory } from './mcp/server.ts';
import { TOOLS } from './mcp/tools.ts';
import { toGuestDescription } from './spec/guest.ts';
import { loadDescription } from './spec/load.ts';
import { createUpstreamClient } from './upstream/client.ts';
import { observeClient } from './upstream/observe.ts';
import { createOperations } from './upstream/operations.ts';

export type Gateway = {
  readonly url: string;
  /** Refuses new requests, waits for those under way, then ends everything. */
  close(): Promise<void>;
};

const packageRoot = new URL('../', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8')) as { version: string };

export async function startGateway(config: Config, log: Logger): Promise<Gateway> {
  preloadSchemas();
  const hosts = allowedHosts(config);
  const description = await loadDescription(fileURLToPath(new URL('openapi/e2b.yaml', packageRoot)));
  const operations = createOperations(description, { allowUnlisted: config.E2B_ALLOW_UNLISTED });
  const upstream = createUpstreamClient({ apiUrl: config.apiUrl });
  const limits = limitsOf(config);
  const brokerLimits = brokerLimitsOf(config);

  const capabilities = { 'api.request': createRequestCapability({ client: upstream, operations: () => operations }) };
  const openBroker: OpenBroker = ({ onCall, ...run }) =>
    createBroker({
      ...run,
      capabilities,
      limits: brokerLimits,
      onCall: ({ label, status }) => onCall?.(`${label} → ${status}`),
      log,
    });
  const engine = await createQuickjsEngine({
    descriptionJson: toGuestDescription(description),
    workers: config.WORKERS,
    maxQueued: config.MAX_QUEUED_RUNS,
    log,
  });

  const acceptor = createCodeAcceptor({ maxChars: config.MAX_CODE_CHARS });
  const runTool = createRunTool({
    engine,
    openBroker,
    limits,
    acceptor,
    response: { maxResultChars: config.RESPONSE_RESULT_CHARS, maxLogChars: config.RESPONSE_LOG_CHARS },
    log,
  });
  const factory = createServerFactory({
    version,
    runTool,
    principalOf: context => principalOf(context.authInfo?.token ?? ''),
  });
  const mcp = createMcpEndpoint(factory, { log });

  const drain = new Drain();
  const debug = () => ({
    version,
    tools: TOOLS.map(tool => tool.name),
    engine: engine.name,
    engineStats: engine.stats(),
    logLevel: log.level,
    openRequests: drain.open,
    draining: drain.draining,
    description: { title: description.title, version: description.version, operations: description.operations.length },
  });
  const app = createApp({
    mcp: mcp.handle,
    debug: config.MCP_DEBUG_ENDPOINT ? debug : undefined,
    isReady: () => true,
    drain,
    allowedHosts: hosts,
    allowedOrigins: config.ALLOWED_ORIGINS ?? LOOPBACK,
    maxBodyBytes: config.MAX_HTTP_BODY_BYTES,
    log,
  });

  // A slow client may take 15 s for its headers and 30 s for its whole request; an idle connection outlives a usual
  // proxy's own keep-alive, so that the proxy never writes into one we just closed.
  const server = createServer({ headersTimeout: 15_000, requestTimeout: 30_000, keepAliveTimeout: 75_000 }, app);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.PORT, config.HOST, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const url = `http://${config.HOST.includes(':') ? `[${config.HOST}]` : config.HOST}:${port}`;
  log.info({ url, engine: engine.name, operations: description.operations.length }, 'listening');

  return {
    url,
    async close() {
      const closed = new Promise<void>(resolve => server.close(() => resolve()));
      const abandoned = await drain.finish(config.DRAIN_TIMEOUT_MS);
      if (abandoned > 0) log.warn({ abandoned }, 'requests were cut off by the drain timeout');
      await mcp.close();
      server.closeAllConnections();
      await closed;
      await Promise.all([engine.close(), acceptor.close()]);
      await upstream.close();
      log.info('closed');
    },
  };
}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/** @throws ConfigError: a bind that others reach must say by which names, or any web page could rebind to it. */
function allowedHosts({ HOST, ALLOWED_HOSTS }: Config): readonly string[] {
  if (ALLOWED_HOSTS !== undefined) return ALLOWED_HOSTS;
  if (['localhost', '127.0.0.1', '::1'].includes(HOST)) return LOOPBACK;
  throw new ConfigError(
    `HOST=${HOST} is not a loopback address: list the host names that clients use in ALLOWED_HOSTS, e.g. ALLOWED_HOSTS=mcp.example.com (or * behind a proxy that checks them).`,
  );
}

const limitsOf = (config: Config): Limits => ({
  wallMs: config.RUN_TIMEOUT_MS,
  cpuMs: config.GUEST_CPU_MS,
  memoryBytes: config.GUEST_MEMORY_MB * 1024 * 1024,
  maxResultChars: config.MAX_RESULT_CHARS,
  maxLogChars: config.MAX_LOG_CHARS,
  maxCallChars: Math.ceil(config.MAX_CALL_BYTES * 1.5),
  maxPendingCalls: 1000,
  maxDisplayBytes: config.MAX_DISPLAY_BYTES,
});

const brokerLimitsOf = (config: Config): BrokerLimits => ({
  maxCalls: config.MAX_CALLS,
  maxParallelCalls: config.MAX_PARALLEL_CALLS,
  maxRequestBytes: config.MAX_CALL_BYTES,
  maxAnswerBytes: config.MAX_ANSWER_BYTES,
  maxRunAnswerBytes: config.MAX_RUN_ANSWER_BYTES,
  callTimeoutMs: config.RUN_TIMEOUT_MS,
});
