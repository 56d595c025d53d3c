// A whole gateway against local mode on free ports, as tests use it from outside. Its log goes to memory, at the
// finest level, and closing fails the test if a key stands in it.
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { type Config, parseConfig } from '../../src/config.ts';
import { startGateway } from '../../src/gateway.ts';
import { createDataPlane, createMachineFactory, type ShellKind } from '../../src/local/data/plane.ts';
import { startLocalCloud } from '../../src/local/server.ts';
import { createLogger } from '../../src/log.ts';

export const newKey = (): string => `e2b_${randomBytes(20).toString('hex')}`;

/** Anything of a key's form: what no log, error or answer may hold. */
export const KEY_FORM = /e2b_[0-9a-f]{16,}/i;

export type LogLine = { readonly level: number; readonly msg: string; readonly [field: string]: unknown };

export function memoryLog() {
  const lines: string[] = [];
  const log = createLogger({ level: 'trace', format: 'json', destination: { write: line => void lines.push(line) } });
  return { log, lines, entries: (): LogLine[] => lines.map(line => JSON.parse(line) as LogLine) };
}

type TestOptions = {
  readonly env?: Readonly<Record<string, string>>;
  readonly config?: Partial<Config>;
  /** What runs in the sandboxes of local mode. */
  readonly shell?: ShellKind;
};

export async function startTestGateway({ env = {}, config: overrides = {}, shell = 'virtual' }: TestOptions = {}) {
  const memory = memoryLog();
  const cloud = await startLocalCloud({
    port: 0,
    host: '127.0.0.1',
    machineFactory: createMachineFactory(shell),
    dataPlane: createDataPlane,
  });
  const config = {
    ...parseConfig({ PORT: '0', WORKERS: '2', E2B_API_URL: cloud.url, E2B_SANDBOX_URL: cloud.url, ...env }),
    ...overrides,
  };
  const gateway = await startGateway(config, memory.log);
  let closing: Promise<void> | undefined;
  const close = (options?: { delayMs?: number }) =>
    (closing ??= (async () => {
      await gateway.close(options);
      await cloud.close();
      expect(memory.lines.join('\n')).not.toMatch(KEY_FORM);
    })());
  return { ...gateway, mcpUrl: new URL(`${gateway.url}/mcp`), cloud, ...memory, close };
}

export type TestGateway = Awaited<ReturnType<typeof startTestGateway>>;
