// A local cloud with the real SDKs pointed at it.
import { Sandbox } from '@e2b/code-interpreter';
import type { LocalCloud } from '../../../local/server.ts';
import { startLocal } from '../../../local/start.ts';
import { machineOf, type ShellKind } from '../../support/machines.ts';

const API_KEY = `e2b_${'0'.repeat(40)}`;

export type Connection = { apiKey: string; apiUrl: string; sandboxUrl: string };

export async function startCloud(shell: ShellKind): Promise<{ local: LocalCloud; connection: Connection }> {
  const local = await startLocal({ port: 0, ...machineOf(shell) });
  return { local, connection: { apiKey: API_KEY, apiUrl: local.url, sandboxUrl: local.url } };
}

export { Sandbox };
