// Two replicas with one key ring behind the proxy that deploy/ ships: each step of a sign-in may reach either of them.
import { randomBytes } from 'node:crypto';
import { type LocalCloud, startLocalCloud } from '../../../local/server.ts';
import { type RunningProxy, startProxy } from '../../survive/support/proxy.ts';
import { freePort, type Replica, startReplica } from '../../survive/support/replica.ts';

export type Fleet = {
  readonly url: string;
  readonly replicas: Replica[];
  /** Kills one replica while it works. */
  kill(index: number): Promise<void>;
  /** Starts it again on the same port; resolves when the proxy sends calls to both. */
  revive(index: number): Promise<void>;
  /** The parsed log lines of all replicas, also of those that have ended. */
  lines(): readonly Record<string, unknown>[];
  /** The whole output of all replicas. */
  text(): string;
  close(): Promise<void>;
};

export async function startFleet(env: Readonly<Record<string, string>> = {}): Promise<Fleet> {
  const cloud: LocalCloud = await startLocalCloud({ port: 0 });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const start = (at?: number): Promise<Replica> =>
    startReplica({
      ...(at !== undefined && { port: at }),
      env: {
        E2B_API_URL: cloud.url,
        E2B_SANDBOX_URL: cloud.url,
        PUBLIC_URL: url,
        OAUTH_KEYS: RING,
        LOG_LEVEL: 'info',
        WORKERS: '1',
        OAUTH_KEYS_PER_MINUTE: '0',
        ...env,
      },
    });
  const replicas = await Promise.all([start(), start()]);
  const ended: Replica[] = [];
  const proxy: RunningProxy = await startProxy(replicas, port);
  const text = () => [...ended, ...replicas].map(replica => replica.log()).join('');
  return {
    url,
    replicas,
    async kill(index) {
      await replicas[index]?.end('SIGKILL');
    },
    async revive(index) {
      const old = replicas[index];
      if (old === undefined) throw new Error(`no replica ${index}`);
      ended.push(old);
      replicas[index] = await start(old.port);
      await proxy.usesAll();
    },
    lines: () => text().split('\n').flatMap(parse),
    text,
    async close() {
      await proxy.close();
      await Promise.all(replicas.map(replica => replica.end('SIGKILL')));
      await cloud.close();
    },
  };
}

const RING = `now:${randomBytes(32).toString('base64url')},before:${randomBytes(32).toString('base64')}`;

function parse(line: string): readonly Record<string, unknown>[] {
  try {
    return [JSON.parse(line) as Record<string, unknown>];
  } catch {
    return [];
  }
}
