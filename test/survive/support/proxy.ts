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

export type RunningProxy = {
  readonly url: string;
  /** Waits until the proxy sends calls to all replicas. One that is ready may count as down until the next check. */
  usesAll(): Promise<void>;
  close(): Promise<void>;
};

export async function startProxy(replicas: readonly Replica[], at?: number): Promise<RunningProxy> {
  const port = at ?? (await freePort());
  const statePort = await freePort();
  const config = readFileSync('deploy/haproxy.cfg', 'utf8')
    .replace('bind 127.0.0.1:8080', `bind 127.0.0.1:${port}`)
    .replace('inter 1s', 'inter 200ms')
    .replace(
      /( *server gateway.+\n)+/,
      replicas.map((replica, index) => `  server gateway${index} 127.0.0.1:${replica.port}\n`).join(''),
    )
    .concat(`
frontend state
  bind 127.0.0.1:${statePort}
  monitor-uri /uses-all
  monitor fail if { nbsrv(gateways) lt ${replicas.length} }
`);
  const folder = mkdtempSync(join(tmpdir(), 'haproxy-'));
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, config);
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stdout.on('data', chunk => (log += chunk));
  child.stderr.on('data', chunk => (log += chunk));
  const answers = (address: string) =>
    ready(
      address,
      () => child.exitCode !== null,
      () => log,
    );
  const url = `http://127.0.0.1:${port}`;
  await answers(`${url}/readyz`);
  return {
    url,
    usesAll: () => answers(`http://127.0.0.1:${statePort}/uses-all`),
    async close() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      rmSync(folder, { recursive: true });
    },
  };
}
