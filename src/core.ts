// Builds what answers MCP requests on any transport (description, guard, broker, engine, tools) from the configuration.
// Knows neither HTTP nor stdio: gateway.ts and stdio.ts connect it to those.
import { randomBytes } from 'node:crypto';
import type { McpRequestContext, McpServerFactory } from '@modelcontextprotocol/server';
import type { Api } from './api.ts';
import { createBroker } from './broker/broker.ts';
import type { BrokerLimits } from './broker/budget.ts';
import { requestsOnly } from './broker/data-plane.ts';
import { observeCalls } from './broker/observe.ts';
import { type AroundSend, createRequestCapability } from './broker/request.ts';
import { type Config, toolLimitsOf } from './config.ts';
import type { EngineStats, Limits } from './engine/engine.ts';
import { type Begun, beginEngines } from './engines.ts';
import { collectGarbage } from './ground/heap.ts';
import type { HostTurns } from './ground/host-turns.ts';
import { Lazy } from './ground/lazy.ts';
import { MemoryBudget } from './ground/memory-budget.ts';
import { Newcomers } from './ground/newcomers.ts';
import { PACKAGE } from './ground/package.ts';
import type { RingKey } from './ground/seal.ts';
import { CodeAcceptor } from './guest/accept/acceptor.ts';
import type { Logger } from './log.ts';
import { Formatter } from './mcp/answer/formatter.ts';
import { outcomeOf } from './mcp/answer/ledger-text.ts';
import { type ApprovalDeps, type ApprovalRecord, Approvals, type Once } from './mcp/approvals/approvals.ts';
import { onceInProcess } from './mcp/approvals/once.ts';
import { createRunTool, type OpenBroker, type RunRecord, type RunTool } from './mcp/run.ts';
import { createServerFactory, type MissingScopes } from './mcp/server.ts';
import { createTools } from './mcp/tools.ts';
import type { Principal } from './principal.ts';
import { E2B_PRODUCT, type Product } from './product.ts';
import type { Description } from './spec/description.ts';
import { SpecSource, type SpecStatus } from './spec/refresh.ts';
import { createUpstreamClient } from './upstream/client.ts';
import { createKeyCheck, type KeyVerdict } from './upstream/key-check.ts';
import { maskKey } from './upstream/key-spellings.ts';
import { observeClient, type UpstreamRecord } from './upstream/observe.ts';
import { Operations } from './upstream/operations.ts';

/** Includes the status of the published description if E2B_SPEC_URL names one. */
type DescriptionInfo = {
  readonly title: string;
  readonly version: string;
  readonly operations: number;
} & Partial<SpecStatus>;

export type Core = {
  readonly version: string;
  readonly engineName: string;
  engineStats(): EngineStats;
  /** Facts about the API description that is in use now. */
  description(): DescriptionInfo;
  /** Runs a tool call, for a transport that has its own server factory. */
  readonly runTool: RunTool;
  /** Returns a factory of MCP servers. `principalOf` is the transport's: it finds the caller of a request. */
  serverFactory(
    principalOf: (context: McpRequestContext) => Principal,
    missingScopes?: MissingScopes,
  ): McpServerFactory;
  /** Asks E2B whether a key is valid. */
  checkKey(apiKey: string): Promise<KeyVerdict>;
  /** False while modules that the first calls need are still being loaded, which blocks the event loop once. */
  isWarm(): boolean;
  /** Counts the memory that callers' data takes, request bodies included. */
  readonly memory: MemoryBudget;
  /** Decides whose work runs next on the main thread. */
  readonly turns: HostTurns;
  close(): Promise<void>;
};

/** Modules for later requests are loaded after this delay, so that loading them does not block the first requests. */
const WARM_UP_AFTER_MS = 500;

type Observers = {
  readonly onRun?: (record: RunRecord) => void;
  readonly onUpstreamCall?: (record: UpstreamRecord) => void;
  /** Called when the API answered a call with 401. */
  readonly onKeyRefused?: (principal: Principal) => void;
  readonly onApproval?: (record: ApprovalRecord) => void;
  /** Remembers for all replicas which answers to approvals were used. Default: each process remembers its own. */
  readonly once?: Once;
  /** The clock by which questions of approvals expire. Default: the system clock. */
  readonly now?: (() => number) | undefined;
};

export async function createCore(
  config: Config,
  log: Logger,
  observers: Observers = {},
  product: Product = E2B_PRODUCT,
  begun: Promise<Begun> = beginEngines(config, log, product),
): Promise<Core> {
  const { api } = product;
  const nice = config.THREAD_NICE;
  const { base, connection, engines, turns, answers } = await begun;
  const operationsOf = (description: Description) =>
    new Operations(description, { allowUnlisted: config.E2B_ALLOW_UNLISTED, dashboard: api.dashboard });
  let operations = operationsOf(base);
  const client = observeClient(createUpstreamClient(connection.api), observers.onUpstreamCall);
  const { engine, isHidden } = await engines;
  const limits = limitsOf(config);
  const brokerLimits = brokerLimitsOf(config);

  const request = (around?: AroundSend) =>
    createRequestCapability({ client, answers, operations: () => operations, around });
  // E2B's SDK is large: it is loaded for the first run that may call it, or shortly after the start.
  const dataPlane = new Lazy(
    async () =>
      product.createDataPlane?.(config, { connection, request, methods: base.capabilities, isHidden }) ??
      requestsOnly(request()),
  );
  const memory = new MemoryBudget({
    maxBytes: config.MEMORY_MB * 1_000_000,
    maxBytesPerPrincipal: config.MEMORY_PER_KEY_MB * 1_000_000,
  });
  const around = observeCalls(observers.onUpstreamCall);
  const openBroker: OpenBroker = async ({ progress: report, requestId, approvals, ...run }) => {
    const { open, describe } = await dataPlane.get();
    // A program in a sandbox may print the caller's key.
    const progress = report && ((line: string) => report(maskKey(line, run.principal.apiKey)));
    return createBroker({
      ...run,
      approvals: approvals && { ...approvals, describe },
      capabilities: open({
        ...{ wallMs: limits.wallMs, signal: run.signal, requestId, progress },
        resumed: run.earlier !== undefined,
      }),
      around,
      limits: brokerLimits,
      turns,
      memory,
      answers,
      onCall: entry => {
        if (entry.status === 401) observers.onKeyRefused?.(run.principal);
        progress?.(`${entry.label} → ${outcomeOf(entry)} (${Math.round(entry.ms)} ms)`);
      },
      log,
    });
  };
  const published = followPublished(config, base, log, async description => {
    const next = operationsOf(description);
    await engine.describe(JSON.stringify(description));
    operations = next; // after the engine has it: search and guard must change together
  });

  const acceptor = new CodeAcceptor({ maxChars: config.MAX_CODE_CHARS, nice });
  let warm = !config.WARM_UP;
  const warmUp = () =>
    Promise.all([dataPlane.get(), acceptor.warm()])
      .catch(cause => log.warn({ err: cause }, 'warm-up failed'))
      .finally(() => {
        // Loading leaves as much garbage as live objects. V8 collects its old generation only at 100 MB or more, later
        // at 1.5 times the size that the last collection left, so an early collection keeps the heap small.
        collectGarbage();
        warm = true;
      });
  // Runs in the background, so that the first execute call and the first TypeScript code are as fast as later ones.
  const warming = config.WARM_UP ? setTimeout(warmUp, WARM_UP_AFTER_MS).unref() : undefined;
  const formatter = new Formatter({ nice });
  const tools = createTools(api, toolLimitsOf(config));
  const runTool = createRunTool({
    engine,
    openBroker,
    approvals: createApprovals(config, { api, engine: engine.name, turns, answers, log }, observers),
    limits,
    acceptor,
    formatter,
    turns,
    newcomers: new Newcomers(),
    response: { maxResultChars: config.RESPONSE_RESULT_CHARS, maxLogChars: config.RESPONSE_LOG_CHARS },
    ...(observers.onRun && { onRun: observers.onRun }),
    log,
  });

  return {
    version: PACKAGE.version,
    memory,
    turns,
    runTool,
    isWarm: () => warm,
    engineName: engine.name,
    engineStats: () => engine.stats(),
    description: () => ({
      title: base.title,
      ...(published?.status() ?? { version: base.version, operations: base.operations.length }),
    }),
    serverFactory: (principalOf, missingScopes) =>
      createServerFactory({ api, tools, runTool, principalOf, ...(missingScopes && { missingScopes }) }),
    checkKey: createKeyCheck(client, () => operations),
    async close() {
      clearTimeout(warming);
      published?.close();
      await Promise.all([engine.close(), acceptor.close(), formatter.close()]);
      await Promise.all([connection.api.close(), answers.close()]);
      await (await dataPlane.ifBegun())?.close();
    },
  };
}

/** A key that only this process has: runs that wait for a person cannot be continued after it ends. */
const processKey = (): RingKey => ({ kid: 'process', secret: randomBytes(32) });

function createApprovals(
  config: Config,
  { api, ...parts }: Pick<ApprovalDeps, 'engine' | 'turns' | 'answers' | 'log'> & { readonly api: Api },
  { once, now = Date.now, onApproval }: Observers,
): Approvals {
  const [key = processKey(), ...older] = config.APPROVAL_KEYS ?? config.OAUTH_KEYS ?? [];
  const seal = new Lazy(async () => {
    const { Seal } = await import('./ground/seal.ts');
    const belongs = { issuer: config.apiUrl, audience: 'approvals', prefix: api.signIn.sealedPrefix };
    return new Seal({ ring: [key, ...older], ...belongs, now });
  });
  return new Approvals({
    ...parts,
    ...{ seal, once: once ?? onceInProcess(), now, onApproval },
    ...{ policy: config.APPROVALS, fallback: config.APPROVALS_FALLBACK, maxStateChars: config.APPROVAL_STATE_BYTES },
  });
}

/** Follows E2B's published description if the operator names one. The one in the package is used until it is loaded. */
function followPublished(
  { E2B_SPEC_URL: url, SPEC_REFRESH_MS: refreshMs, SPEC_MAX_BYTES: maxBytes }: Config,
  base: Description,
  log: Logger,
  onChange: (description: Description) => Promise<void>,
): SpecSource | undefined {
  if (url === undefined) return undefined;
  const source = new SpecSource({ url, refreshMs, maxBytes, base, onChange, log });
  void source.start();
  return source;
}

const limitsOf = (config: Config): Limits => ({
  wallMs: config.RUN_TIMEOUT_MS,
  cpuMs: config.GUEST_CPU_MS,
  memoryBytes: config.GUEST_MEMORY_MB * 1024 * 1024,
  maxResultChars: config.MAX_RESULT_CHARS,
  maxLogChars: config.MAX_LOG_CHARS,
  maxCallChars: Math.ceil(config.MAX_CALL_BYTES * 1.5),
  maxCallValues: config.MAX_CALL_VALUES,
  maxPendingCalls: 1000,
  maxDisplayBytes: config.MAX_DISPLAY_BYTES,
});

/** A call times out this long before its run does, so that the agent's code can read the error and return. */
const MAX_CALL_MARGIN_MS = 2_000;

const brokerLimitsOf = (config: Config): BrokerLimits => ({
  maxCalls: config.MAX_CALLS,
  maxParallelCalls: config.MAX_PARALLEL_CALLS,
  maxRequestBytes: config.MAX_CALL_BYTES,
  maxAnswerBytes: config.MAX_ANSWER_BYTES,
  maxRunAnswerBytes: config.MAX_RUN_ANSWER_BYTES,
  maxHostMs: config.GUEST_CPU_MS,
  callTimeoutMs: config.RUN_TIMEOUT_MS - Math.min(MAX_CALL_MARGIN_MS, Math.floor(config.RUN_TIMEOUT_MS / 4)),
});
