// Starts the HTTP server: puts limits, authentication and routes around the core that answers requests. Reads neither
// the environment nor signals: main.ts, the demo and the tests call it.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { preloadSchemas } from '@modelcontextprotocol/server';
import { type Config, ConfigError } from './config.ts';
import { type Core, createCore } from './core.ts';
import type { Begun } from './engines.ts';
import { watchLoop } from './ground/loop-watch.ts';
import { isLoopbackAddress, LOOPBACK_NAMES } from './ground/loopback.ts';
import { createApp, MAX_HEADERS } from './http/app.ts';
import { createKeyAuthenticator } from './http/auth/bearer.ts';
import { callerOf, missingScopes } from './http/auth/caller.ts';
import type { OAuthFront } from './http/auth/front.ts';
import { ScopeNames } from './http/auth/scopes.ts';
import { oneAtATime, readInPieces } from './http/connection.ts';
import { Drain } from './http/drain.ts';
import { expressMessages } from './http/express-messages.ts';
import { createLimits } from './http/limits.ts';
import { createMcpEndpoint } from './http/mcp.ts';
import { onceIn } from './http/once.ts';
import { createPage } from './http/page.ts';
import { ParsingTurns } from './http/parsing.ts';
import { connectRedis } from './http/redis.ts';
import { withPath } from './http/target.ts';
import { inTurns, RequestTurns } from './http/turns.ts';
import { Unpacker } from './http/unpacker.ts';
import { answerUnreadable } from './http/unreadable.ts';
import type { Logger } from './log.ts';
import { TOOL_NAMES } from './mcp/tools.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import type { Principal } from './principal.ts';
import { E2B_PRODUCT, type Product } from './product.ts';

export type Gateway = {
  readonly url: string;
  /**
   * Makes /readyz fail but serves for another `delayMs` (default 0), so that proxies stop sending; then refuses new
   * requests, waits for open ones, and closes everything.
   */
  close(options?: { readonly delayMs?: number }): Promise<void>;
};

export async function startGateway(
  config: Config,
  log: Logger,
  product = E2B_PRODUCT,
  { now, begun }: { readonly now?: () => number; readonly begun?: Promise<Begun> } = {},
): Promise<Gateway> {
  const hosts = allowedHosts(config);
  const drain = new Drain();
  const metrics = createMetrics(() => ({ ...core.engineStats(), openRequests: drain.open }));
  let signIn: OAuthFront | undefined;
  const redis = config.REDIS_URL ? await connectRedis(config.REDIS_URL, log) : undefined;
  const observers = {
    onRun: metrics.run,
    onUpstreamCall: metrics.upstreamCall,
    onKeyRefused: (principal: Principal) => signIn?.keyRefused(principal),
    onApproval: metrics.approval,
    now,
    ...(redis && { once: onceIn(redis) }),
  };
  const core = await createCore(config, log, observers, product, begun);
  const turns = new RequestTurns(core.turns);
  const mcp = createMcpEndpoint(
    core.serverFactory(({ authInfo }) => callerOf(authInfo), missingScopes(new ScopeNames(product.api.signIn.slug))),
    { turns, log },
  );
  const unpacker = new Unpacker({ nice: config.THREAD_NICE });
  const limits = await createLimits({
    perKey: config.RATE_LIMIT_PER_KEY,
    global: config.RATE_LIMIT_GLOBAL,
    parallelPerKey: config.MAX_PARALLEL_PER_KEY,
    redisUrl: config.REDIS_URL,
    onLimited: metrics.limited,
    log,
  });

  const debug = () => ({
    version: core.version,
    tools: TOOL_NAMES,
    publicUrl: config.PUBLIC_URL,
    engine: core.engineName,
    engineStats: core.engineStats(),
    logLevel: log.level,
    openRequests: drain.open,
    draining: drain.draining,
    description: core.description(),
  });

  const { createSignIn } = config.OAUTH_KEYS ? await import('./sign-in.ts') : { createSignIn: undefined };

  // A slow client has 15 s for its headers and 30 s for the whole request. An idle connection is kept longer than most
  // proxies keep theirs, so that a proxy never writes to a connection that was just closed here.
  const timeouts = { headersTimeout: 15_000, requestTimeout: 30_000, keepAliveTimeout: 75_000 };
  const stopWatching = watchdog(core, metrics, log);
  const messages = expressMessages();
  // requireHostHeader is off because app.ts refuses requests without a Host header with a registered error.
  const server = createServer({
    ...timeouts,
    ...messages.classes,
    connectionsCheckingInterval: 5_000,
    requireHostHeader: false,
  });
  // Node drops headers beyond this number silently, so app.ts refuses a request that reaches it.
  server.maxHeadersCount = MAX_HEADERS;
  readInPieces(server, new ParsingTurns(core.turns.arrivals));
  answerUnreadable(server, { log, onRequest: metrics.request });
  const url = await listen(server, config);
  // Nothing is awaited until the handler is attached, so no request is missed. The issuer URL may contain the port.
  signIn = createSignIn?.(config, { api: product.api, url, checkKey: core.checkKey, redis, log, metrics });
  const app = createApp({
    auth: signIn?.authenticator ?? createKeyAuthenticator(product.api),
    mcp: mcp.handle,
    debug: config.MCP_DEBUG_ENDPOINT ? debug : undefined,
    metrics: metricsOn(config) ? { ...metrics, anyHost: config.METRICS === true } : undefined,
    onRequest: metrics.request,
    drain,
    limits: limits.check,
    signIn: signIn?.routes ?? [],
    page: config.PAGE ? createPage(pageFacts(config, product, core.version)) : undefined,
    allowedHosts: hosts,
    allowedOrigins: allowedOrigins(config, hosts),
    maxBodyBytes: config.MAX_HTTP_BODY_BYTES,
    memory: core.memory,
    unpacker,
    trustProxy: config.TRUST_PROXY,
    log,
  });
  messages.useIn(app);
  const listener = oneAtATime(inTurns(withPath(app), turns));
  // Requests with an Expect header that Node does not know are handled like any other.
  server
    .on('request', listener)
    .on('checkExpectation', listener)
    .on('connection', () => core.turns.arrivals.arrived());
  log.info({ url, engine: core.engineName, operations: core.description().operations }, 'listening');
  // Otherwise the first request would have to build the schemas.
  setImmediate(preloadSchemas);

  return {
    url,
    async close({ delayMs = 0 } = {}) {
      drain.leave();
      if (delayMs > 0) {
        log.info({ delayMs, openRequests: drain.open }, 'shutting down: still serving while proxies turn away');
        await sleep(delayMs);
      }
      const closed = new Promise<void>(resolve => server.close(() => resolve()));
      const abandoned = await drain.finish(config.DRAIN_TIMEOUT_MS);
      if (abandoned > 0) log.warn({ abandoned }, 'requests were cut off by the drain timeout');
      await mcp.close();
      server.closeAllConnections();
      await closed;
      stopWatching();
      await Promise.all([core.close(), limits.close(), unpacker.close(), signIn?.close()]);
      redis?.disconnect();
      log.info('closed');
    },
  };
}

/** Longer delays of the event loop are logged with the run that caused them: no step of a run may take so long. */
const LATE_MS = 200;

function watchdog(core: Core, metrics: Metrics, log: Logger): () => void {
  return watchLoop(core.turns, ({ delayMs, work }) => {
    metrics.loopDelay(delayMs);
    if (delayMs < LATE_MS || !core.isWarm()) return;
    const served = work && { reqId: work.name, workMs: Math.round(work.ms) };
    log.warn({ delayMs: Math.round(delayMs), ...served }, 'the event loop was late');
  });
}

/** Connections beyond this number would have to try again after a second, and among them may be a health check. */
const MAX_UNACCEPTED = 4_096;

async function listen(server: Server, { HOST, PORT }: Config): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: PORT, host: HOST, backlog: MAX_UNACCEPTED }, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return `http://${HOST.includes(':') ? `[${HOST}]` : HOST}:${port}`;
}

const metricsOn = ({ METRICS, HOST }: Config) => METRICS ?? isLoopbackAddress(HOST);

/** The settings that the page shows or needs. */
const pageFacts = ({ PUBLIC_URL, OAUTH_KEYS, OAUTH_RAW_KEYS, demoKey }: Config, { api }: Product, version: string) => ({
  title: api.title,
  version,
  publicUrl: PUBLIC_URL,
  demoKey,
  signIn: OAUTH_KEYS !== undefined,
  keys: OAUTH_RAW_KEYS,
  keyExample: api.key.example,
});

/** Adds the gateway's own host names when the page is served, because the page calls from them. */
function allowedOrigins({ ALLOWED_ORIGINS, PAGE }: Config, hosts: readonly string[]): readonly string[] {
  const given = ALLOWED_ORIGINS ?? LOOPBACK_NAMES;
  return PAGE ? [...given, ...hosts.filter(host => host !== '*')] : given;
}

/** @throws ConfigError when other machines can connect but no host names are set: DNS rebinding would be possible. */
function allowedHosts(config: Config): readonly string[] {
  const { HOST, ALLOWED_HOSTS, PUBLIC_URL } = config;
  const published = PUBLIC_URL === undefined ? [] : [new URL(PUBLIC_URL).hostname];
  if (ALLOWED_HOSTS !== undefined) return [...ALLOWED_HOSTS, ...published];
  if (isLoopbackAddress(HOST)) return [...LOOPBACK_NAMES, ...published];
  if (published.length > 0) return published;
  throw new ConfigError(
    `HOST=${HOST} is not a loopback address: list the host names that clients use in ALLOWED_HOSTS, e.g. ALLOWED_HOSTS=mcp.example.com (or * behind a proxy that checks them).`,
  );
}
