// A local cloud with the real SDKs pointed at it.
import { Sandbox } from '@e2b/code-interpreter';
import { createDataPlane, createMachineFactory, type ShellKind } from '../../../local/daemon/routes.ts';
import { type LocalCloud, startLocalCloud } from '../../../local/server.ts';

export const API_KEY = `e2b_${'0'.repeat(40)}`;

export type Connection = { apiKey: string; apiUrl: string; sandboxUrl: string };

export async function startCloud(shell: ShellKind): Promise<{ local: LocalCloud; connection: Connection }> {
  const local = await startLocalCloud({
    port: 0,
    machineFactory: createMachineFactory(shell),
    dataPlane: createDataPlane,
  });
  return { local, connection: { apiKey: API_KEY, apiUrl: local.url, sandboxUrl: local.url } };
}

export { Sandbox };
