// A local cloud with the real SDKs pointed at it.
import { type Execution, Sandbox } from '@e2b/code-interpreter';
import type { LocalCloud } from '../../../local/server.ts';
import { startLocal } from '../../../local/start.ts';
import { machineOf, type ShellKind } from '../../support/machines.ts';

const API_KEY = `e2b_${'0'.repeat(40)}`;

export type Connection = { apiKey: string; apiUrl: string; sandboxUrl: string };

export async function startCloud(shell: ShellKind): Promise<{ local: LocalCloud; connection: Connection }> {
  const local = await startLocal({ port: 0, ...machineOf(shell) });
  return { local, connection: { apiKey: API_KEY, apiUrl: local.url, sandboxUrl: local.url } };
}

/** A sandbox of a simulated cloud of its own. */
export async function startSandbox(options: { readonly envs?: Record<string, string> } = {}) {
  const { local, connection } = await startCloud('virtual');
  const sandbox = await Sandbox.create({ ...connection, ...options });
  return { sandbox, connection, close: () => local.close() };
}

export const formatsOf = ({ results }: Execution) => results.map(result => result.formats());

export { Sandbox };
