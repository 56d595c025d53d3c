#!/usr/bin/env node
// Where the process starts: environment and arguments -> config -> gateway -> drain on a signal. The only reader of
// process.env.
import { parseArgs } from 'node:util';
import { ConfigError, parseConfig } from './config.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { startLocalCloud } from './local/server.ts';
import { createLogger } from './log.ts';

const USAGE = `usage: e2b-code-mode [--local]

  --local   serve against a stand-in for E2B that runs in this process: no account, no network
  --help    this text; README.md lists the environment variables`;

/** Local mode takes any key of E2B's form; this one is for everybody to paste. */
const DEMO_KEY = `e2b_${'0'.repeat(40)}`;

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: { local: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (options.help) {
    console.log(USAGE);
    return;
  }
  const environment = { ...process.env };
  const config = parseConfig(environment);
  const log = createLogger({ level: config.LOG_LEVEL, format: config.LOG_FORMAT });
  if (!options.local) {
    closeOnSignal(await startGateway(config, log));
    return;
  }
  const cloud = await startLocalCloud({ port: 0, host: '127.0.0.1' });
  const gateway = await startGateway({ ...config, apiUrl: cloud.url, E2B_SANDBOX_URL: cloud.url }, log);
  console.log(welcome(gateway.url));
  closeOnSignal({ url: gateway.url, close: () => gateway.close().finally(() => cloud.close()) });
}

function welcome(url: string): string {
  const config = {
    mcpServers: { e2b: { type: 'http', url: `${url}/mcp`, headers: { Authorization: `Bearer ${DEMO_KEY}` } } },
  };
  return `
E2B code-mode gateway, local mode: sandboxes are simulated in this process.

  MCP endpoint  ${url}/mcp
  Demo key      ${DEMO_KEY}
  Claude Code   claude mcp add --transport http e2b ${url}/mcp --header "Authorization: Bearer ${DEMO_KEY}"

  Other clients (.mcp.json):
${JSON.stringify(config, null, 2).replace(/^/gm, '  ')}
`;
}

function closeOnSignal(gateway: Gateway): void {
  let closing = false;
  const close = () => {
    if (closing) process.exit(1); // a second signal means now
    closing = true;
    gateway.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', close);
  process.on('SIGINT', close);
}

main().catch((caught: unknown) => {
  const { name, message } = caught instanceof Error ? caught : { name: 'Error', message: String(caught) };
  const isUsage =
    caught instanceof ConfigError ||
    (caught as { code?: unknown })?.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' ||
    (caught as { code?: unknown })?.code === 'EADDRINUSE';
  console.error(isUsage ? message : `${name}: ${message}`);
  process.exit(1);
});
