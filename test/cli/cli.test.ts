// E2B's own command line (@e2b/cli) against local mode: what people type works as against E2B.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Sandbox } from 'e2b';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LocalCloud } from '../../local/server.ts';
import { type Connection, startCloud } from '../local/support/data.ts';
import { commandLine } from './environment.ts';

const found = await commandLine();
if ('reason' in found) console.warn(`skipped: ${found.reason}`);

describe.skipIf('reason' in found)('the e2b command line', () => {
  const program = 'program' in found ? found.program : '';
  const home = mkdtempSync(join(tmpdir(), 'e2b-cli-'));
  let local: LocalCloud;
  let connection: Connection;
  let sandbox: Sandbox;

  beforeAll(async () => {
    ({ local, connection } = await startCloud('virtual'));
    sandbox = await Sandbox.create({ ...connection, metadata: { made: 'for the command line' } });
  });
  afterAll(async () => {
    await local.close();
    rmSync(home, { recursive: true, force: true });
  });

  /** Its output, without colours. */
  const e2b = async (...args: string[]): Promise<string> => {
    const env = {
      PATH: process.env.PATH ?? '',
      HOME: home,
      NO_COLOR: '1',
      E2B_API_URL: connection.apiUrl,
      E2B_SANDBOX_URL: connection.sandboxUrl,
      E2B_API_KEY: connection.apiKey,
    };
    const running = promisify(execFile)(process.execPath, [program, ...args], { env });
    running.child.stdin?.end();
    return (await running).stdout;
  };

  test('template list names the templates', async () => {
    expect(await e2b('template', 'list')).toMatch(/\bbase\b[\s\S]*\bcode-interpreter-v1\b/);
  });

  test('sandbox list and info show it', async () => {
    expect(await e2b('sandbox', 'list')).toMatch(new RegExp(`${sandbox.sandboxId}.*Running.*for the command line`));
    expect(await e2b('sandbox', 'info', sandbox.sandboxId)).toMatch(/State: running[\s\S]*for the command line/);
    const listed = JSON.parse(await e2b('sandbox', 'list', '--format', 'json'));
    expect(listed).toMatchObject([{ sandboxId: sandbox.sandboxId, state: 'running' }]);
  });

  test('sandbox exec runs a command, with its output and exit code', async () => {
    expect(await e2b('sandbox', 'exec', sandbox.sandboxId, '--', 'echo', 'from the shell')).toBe('from the shell\n');
    const failed = e2b('sandbox', 'exec', sandbox.sandboxId, '--', 'sh', '-c', 'exit 7');
    await expect(failed).rejects.toMatchObject({ code: 7 });
  });

  test('sandbox logs and metrics are printed', async () => {
    expect(await e2b('sandbox', 'logs', sandbox.sandboxId)).toMatch(/INFO.*Sandbox started/);
    expect(await e2b('sandbox', 'metrics', sandbox.sandboxId)).toMatch(/CPU:.*Memory:/);
  });

  test('sandbox pause and resume change its state', async () => {
    await e2b('sandbox', 'pause', sandbox.sandboxId);
    expect(await e2b('sandbox', 'info', sandbox.sandboxId)).toContain('State: paused');
    await e2b('sandbox', 'resume', sandbox.sandboxId);
    expect(await e2b('sandbox', 'info', sandbox.sandboxId)).toContain('State: running');
  });

  test('sandbox kill ends it', async () => {
    expect(await e2b('sandbox', 'kill', sandbox.sandboxId)).toContain('has been killed');
    expect(await e2b('sandbox', 'list')).not.toContain(sandbox.sandboxId);
  });
});
