// The gateway for clients that start a process and talk to it over stdin and stdout: the same core, one caller for the
// life of the process. Stdout belongs to the protocol; logs go to stderr.
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import type { Api } from './api.ts';
import { type Config, ConfigError } from './config.ts';
import { createCore } from './core.ts';
import { GatewayError } from './errors.ts';
import type { Logger } from './log.ts';
import { type Principal, principalFromKey } from './principal.ts';
import { E2B_PRODUCT } from './product.ts';
import { LineTransport } from './stdio-transport.ts';

/** Room for the longest code, escaped, and what is around it. */
const MAX_LINE_BYTES = 4 * 1024 * 1024;

export type StdioGateway = {
  /** Resolves when the client has closed its end and has every answer. */
  readonly finished: Promise<void>;
  close(): Promise<void>;
};

/** @throws ConfigError when E2B_API_KEY is missing or no key */
export async function serveOverStdio(config: Config, log: Logger, product = E2B_PRODUCT): Promise<StdioGateway> {
  const principal = callerOf(config, product.api);
  const core = await createCore(config, log, {}, product);
  const transport = new LineTransport({ input: process.stdin, output: process.stdout }, MAX_LINE_BYTES);
  const connection = serveStdio(
    core.serverFactory(() => principal),
    { transport, onerror: error => log.warn({ err: error }, 'message refused') },
  );
  log.info({ engine: core.engineName, operations: core.description().operations }, 'serving on stdio');
  return {
    finished: transport.finished,
    async close() {
      await connection.close();
      await core.close();
      log.info('closed');
    },
  };
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
