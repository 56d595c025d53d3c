// A whole gateway with local mode on free ports, for tests from outside. Its log is kept in memory at the
// lowest level, and closing it fails the test if the log contains a key.
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { startLocal } from '../../local/start.ts';
import { type Config, parseConfig } from '../../src/config.ts';
import { E2B } from '../../src/e2b/api.ts';
import { startGateway } from '../../src/gateway.ts';
import { createLogger } from '../../src/log.ts';
import { type FaultHook, faulty } from './faults.ts';
import { machineOf, type ShellKind } from './machines.ts';

export const newKey = (): string => `e2b_${randomBytes(20).toString('hex')}`;

/** Matches keys and sealed values of the OAuth front, which no log, error or response may contain. */
export const KEY_FORM = /e2b_[0-9a-f]{16,}|e2bmcp_[\w.-]{8,}/i;
const KEY_OR_MASK = new RegExp(`${KEY_FORM.source}|\\[redacted\\]`, 'i');

export type LogLine = { readonly level: number; readonly msg: string; readonly [field: string]: unknown };

export function memoryLog() {
  const lines: string[] = [];
  const log = createLogger({
    level: 'trace',
    format: 'json',
    maskKeys: E2B.key.mask,
    destination: { write: line => void lines.push(line) },
  });
  return { log, lines, entries: (): LogLine[] => lines.map(line => JSON.parse(line) as LogLine) };
}

/** Fails for a key and also for a masked one, because a key must not even be passed to the logger. */
export function expectNoKeys(lines: readonly string[]): void {
  for (const line of lines) expect(line).not.toMatch(KEY_OR_MASK);
}

type TestOptions = {
  readonly env?: Readonly<Record<string, string>>;
  readonly config?: Partial<Config>;
  /** The kind of machine in local mode. */
  readonly shell?: ShellKind;
  /** Responses of local mode that the test replaces. */
  readonly onRequest?: FaultHook;
};

export async function startTestGateway({
  env = {},
  config: overrides = {},
  shell = 'virtual',
  onRequest,
}: TestOptions = {}) {
  const memory = memoryLog();
  const cloud = await startLocal({ port: 0, ...machineOf(shell), ...(onRequest && faulty(onRequest)) });
  const config = {
    ...parseConfig({
      PORT: '0',
      WORKERS: '1',
      WARM_UP: 'false',
      E2B_API_URL: cloud.url,
      E2B_SANDBOX_URL: cloud.url,
      ...env,
    }),
    ...overrides,
  };
  const gateway = await startGateway(config, memory.log);
  let closing: Promise<void> | undefined;
  const close = (options?: { delayMs?: number }) =>
    (closing ??= (async () => {
      await gateway.close(options);
      await cloud.close();
      expectNoKeys(memory.lines);
    })());
  return { ...gateway, mcpUrl: new URL(`${gateway.url}/mcp`), cloud, ...memory, close };
}

export type TestGateway = Awaited<ReturnType<typeof startTestGateway>>;
