// The command: reads environment and arguments, starts the gateway, and shuts it down on a signal. No other file reads
// process.env.
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { type Config, ConfigError, parseConfig } from './config.ts';
import { E2B } from './e2b/api.ts';
import { keepHeapsSmall } from './ground/heap.ts';
import { createLogger, type Logger } from './log.ts';
import { E2B_PRODUCT } from './product.ts';

const USAGE = `usage: e2b-code-mode [--stdio] [--local | --local-only]

                serve MCP over HTTP on HOST:PORT; each caller sends an E2B key as bearer token
  --stdio       serve the one client that started this process, over stdin and stdout; key in E2B_API_KEY
  --local       serve against a stand-in for E2B that runs in this process: no account, no network
  --local-only  run that stand-in alone, for any E2B SDK
  --help        this text; docs/configuration.md lists the environment variables`;

/** A key that anyone may use in local mode, which accepts any key of E2B's form. */
const DEMO_KEY = `e2b_${'0'.repeat(40)}`;

async function main(): Promise<void> {
  keepHeapsSmall();
  const { values: options } = parseArgs({
    options: {
      stdio: { type: 'boolean' },
      local: { type: 'boolean' },
      'local-only': { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (options.help) {
    console.log(USAGE);
    return;
  }
  // Local mode runs at a terminal, so its log is readable by default.
  const given = parseConfig(options.local ? { LOG_FORMAT: 'pretty', ...process.env } : process.env);
  const log = createLogger({ level: given.LOG_LEVEL, format: given.LOG_FORMAT, maskKeys: E2B.key.mask });
  logUncaughtErrors(log);
  if (options['local-only']) {
    const cloud = await startLocalMode(given, 3001, log);
    console.log(localWelcome(cloud.url));
    closeOnSignal(() => cloud.close());
    return;
  }
  if (options.local) refuseMicroVm(given);
  const cloud = options.local ? await startLocalMode(given, 0, log) : undefined;
  const config = cloud ? { ...given, ...localSettings(given, cloud.url) } : given;
  if (options.stdio) {
    const { serveOverStdio } = await import('./stdio.ts');
    const client = await serveOverStdio(config, log);
    const close = closeOnSignal(() => client.close().finally(() => cloud?.close()));
    await client.finished;
    close();
    return;
  }
  const { beginEngines } = await import('./engines.ts');
  const begun = beginEngines(config, log, E2B_PRODUCT);
  const { startGateway } = await import('./gateway.ts');
  const gateway = await startGateway(config, log, E2B_PRODUCT, { begun });
  if (cloud) console.log(welcome(gateway.url, config.PAGE));
  closeOnSignal(signal =>
    // SIGINT comes from a terminal, where there is no proxy to wait for.
    gateway.close({ delayMs: signal === 'SIGTERM' ? config.DRAIN_DELAY_MS : 0 }).finally(() => cloud?.close()),
  );
}

/** Turns sign-in on with random keys, so that tokens are valid only as long as the process runs. */
const localSettings = ({ OAUTH_KEYS }: Config, cloudUrl: string) => ({
  apiUrl: cloudUrl,
  E2B_SANDBOX_URL: cloudUrl,
  // The SDK builds URLs of sandboxes from this domain: http://8080-<id>.localhost:<port>.
  E2B_DOMAIN: `localhost:${new URL(cloudUrl).port}`,
  E2B_API_KEY: DEMO_KEY,
  demoKey: DEMO_KEY,
  OAUTH_KEYS: OAUTH_KEYS ?? [{ kid: 'local', secret: new Uint8Array(randomBytes(32)) }],
});

/** The microVM engine runs Node in its sandboxes, which local mode's simulated sandboxes do not have. */
function refuseMicroVm({ SANDBOX_ENGINE, SEARCH_ENGINE }: Config): void {
  if (SANDBOX_ENGINE !== 'e2b' && SEARCH_ENGINE !== 'e2b') return;
  throw new ConfigError(
    'The e2b engine runs Node in its sandboxes, which --local does not have. To try it on this machine, start ' +
      '`pnpm cloud:process`, export what it prints, and start the gateway without --local.',
  );
}

/** Imports local mode only when it is used: a production image does not contain its dependencies. */
async function startLocalMode({ LOCAL_PORT }: Config, fallbackPort: number, log: Logger) {
  const { startLocal } = await import('../local/start.ts');
  return startLocal({ port: LOCAL_PORT ?? fallbackPort, warn: sentence => log.warn(`local mode: ${sentence}`) });
}

function localWelcome(url: string): string {
  return `
A stand-in for E2B on this machine. Point any E2B SDK at it:

  export E2B_API_URL=${url} E2B_SANDBOX_URL=${url} E2B_VOLUME_API_URL=${url} E2B_API_KEY=${DEMO_KEY}
`;
}

function welcome(url: string, hasPage: boolean): string {
  const config = {
    mcpServers: { e2b: { type: 'http', url: `${url}/mcp`, headers: { Authorization: `Bearer ${DEMO_KEY}` } } },
  };
  return `
E2B code-mode gateway, local mode: sandboxes are simulated in this process.

${hasPage ? `  Page          ${url}/\n` : ''}  MCP endpoint  ${url}/mcp
  Demo key      ${DEMO_KEY}
  Sign-in       clients without a key open a page (OAuth): paste the demo key there
  Claude Code   claude mcp add --transport http e2b ${url}/mcp --header "Authorization: Bearer ${DEMO_KEY}"

  Other clients (.mcp.json):
${JSON.stringify(config, null, 2).replace(/^/gm, '  ')}
`;
}

/** Calls `end` once on SIGTERM or SIGINT, then exits. Returns a function that does the same without a signal. */
function closeOnSignal(end: (signal?: NodeJS.Signals) => Promise<void>): () => void {
  let closing = false;
  let signalled = false;
  const close = (signal?: NodeJS.Signals) => {
    if (closing) {
      if (signal !== undefined && signalled) process.exit(1); // a second signal ends the process at once
      signalled ||= signal !== undefined;
      return;
    }
    closing = true;
    signalled = signal !== undefined;
    end(signal).then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', close);
  process.on('SIGINT', close);
  return close;
}

/**
 * An unhandled rejection is only logged, so that it does not end the runs of all callers. An uncaught exception may
 * have left inconsistent state, so it ends the process. Both go through the logger because it masks keys.
 */
function logUncaughtErrors(log: Logger): void {
  process.on('unhandledRejection', cause => log.error({ err: cause }, 'unhandled promise rejection'));
  process.on('uncaughtException', cause => {
    log.fatal({ err: cause }, 'uncaught exception');
    process.exit(1);
  });
}

main().catch((caught: unknown) => {
  const { name, message } = caught instanceof Error ? caught : { name: 'Error', message: String(caught) };
  const code = (caught as { code?: unknown } | null)?.code;
  const isUsage = caught instanceof ConfigError || code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION';
  if (code === 'EADDRINUSE') console.error(`${message}. Set PORT (or LOCAL_PORT) to another port; 0 takes a free one.`);
  else console.error(isUsage ? message : `${name}: ${message}`);
  process.exit(1);
});
