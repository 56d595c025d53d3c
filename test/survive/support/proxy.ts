// HAProxy with the configuration from deploy/, on free ports. Without HAProxy the tests are skipped with that reason.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, type Replica, ready } from './replica.ts';

/** Why no proxy can be started, or undefined. */
export const proxyLacks = (): string | undefined =>
  spawnSync('haproxy', ['-v']).status === 0 ? undefined : 'haproxy is not installed (apt-get install haproxy)';

export type RunningProxy = { readonly url: string; close(): Promise<void> };

export async function startProxy(replicas: readonly Replica[], at?: number): Promise<RunningProxy> {
  const port = at ?? (await freePort());
  let config = readFileSync('deploy/haproxy.cfg', 'utf8')
    .replace('bind 127.0.0.1:8080', `bind 127.0.0.1:${port}`)
    .replace('inter 1s', 'inter 200ms');
  for (const [index, replica] of replicas.entries())
    config = config.replace(`127.0.0.1:300${index + 1}`, `127.0.0.1:${replica.port}`);
  const folder = mkdtempSync(join(tmpdir(), 'haproxy-'));
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, config);
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stdout.on('data', chunk => (log += chunk));
  child.stderr.on('data', chunk => (log += chunk));
  const url = `http://127.0.0.1:${port}`;
  await ready(
    `${url}/readyz`,
    () => child.exitCode !== null,
    () => log,
  );
  return {
    url,
    async close() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      rmSync(folder, { recursive: true });
    },
  };
}
