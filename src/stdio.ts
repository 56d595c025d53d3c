// Serves a client that starts this process and communicates over stdin and stdout: the same core, with one caller for
// the life of the process. Stdout carries the protocol, so logs go to stderr.
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import type { Api } from './api.ts';
import { type Config, ConfigError, toolLimitsOf } from './config.ts';
import type { Core } from './core.ts';
import { GatewayError } from './errors.ts';
import { Lazy } from './ground/lazy.ts';
import type { Logger } from './log.ts';
import { createServerFactory } from './mcp/server.ts';
import { createTools } from './mcp/tools.ts';
import { type Principal, principalFromKey } from './principal.ts';
import { E2B_PRODUCT, type Product } from './product.ts';
import { LineTransport } from './stdio-transport.ts';

/** Enough for the longest allowed code in JSON and the message around it. */
const MAX_LINE_BYTES = 4 * 1024 * 1024;

export type StdioGateway = {
  /** Resolves when the client has closed its end and has every response. */
  readonly finished: Promise<void>;
  close(): Promise<void>;
};

/** @throws ConfigError when E2B_API_KEY is missing or not a key */
export async function serveOverStdio(config: Config, log: Logger, product = E2B_PRODUCT): Promise<StdioGateway> {
  const principal = callerOf(config, product.api);
  const transport = new LineTransport({ input: process.stdin, output: process.stdout }, MAX_LINE_BYTES);
  // The engine is loaded after the first response, because loading it earlier would delay that response.
  const core = new Lazy(() => startCore(config, log, product));
  void transport.answered
    .then(() => core.get())
    .catch(cause => {
      log.fatal({ err: cause }, 'the engine did not start');
      process.exitCode = 1;
      void transport.close();
    });
  const factory = createServerFactory({
    api: product.api,
    tools: createTools(product.api, toolLimitsOf(config)),
    runTool: async call => (await core.get()).runTool(call),
    principalOf: () => principal,
  });
  const connection = serveStdio(factory, { transport, onerror: refusals(log) });
  log.info('serving on stdio');
  return {
    finished: transport.finished,
    async close() {
      await connection.close();
      await (await core.ifBegun())?.close();
      log.info('closed');
    },
  };
}

/** Minimum time between two log lines about refused messages. */
const LOG_EVERY_MS = 1_000;

function refusals(log: Logger): (error: Error) => void {
  let refused = 0;
  let loggedAt = Number.NEGATIVE_INFINITY;
  return error => {
    refused += 1;
    if (performance.now() - loggedAt < LOG_EVERY_MS) return;
    const why = error instanceof GatewayError ? { code: error.code, reason: error.message } : { err: error };
    log.warn({ refused, ...why }, 'message refused');
    loggedAt = performance.now();
    refused = 0;
  };
}

async function startCore(config: Config, log: Logger, product: Product): Promise<Core> {
  const { beginEngines } = await import('./engines.ts');
  const begun = beginEngines(config, log, product);
  const { createCore } = await import('./core.ts');
  const core = await createCore(config, log, {}, product, begun);
  log.info({ engine: core.engineName, operations: core.description().operations }, 'engine ready');
  return core;
}

function callerOf({ E2B_API_KEY }: Config, { key }: Api): Principal {
  if (E2B_API_KEY === undefined)
    throw new ConfigError('--stdio needs your E2B API key in E2B_API_KEY (or --local, which needs none).');
  try {
    return principalFromKey(key.parse(E2B_API_KEY));
  } catch (caught) {
    throw new ConfigError(`E2B_API_KEY: ${caught instanceof GatewayError ? caught.message : 'not a key'}`);
  }
}
