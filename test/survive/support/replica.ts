// A gateway as operators run it: the built program in its own process.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export type Replica = {
  readonly port: number;
  readonly url: string;
  readonly process: ChildProcess;
  /** Everything it has written to stderr. */
  log(): string;
  /** Sends the signal and waits; resolves with the exit code, or the signal that ended the process. */
  end(signal: NodeJS.Signals): Promise<number | string>;
};

type ReplicaOptions = {
  readonly env: Readonly<Record<string, string>>;
  readonly port?: number;
  readonly nodeArgs?: readonly string[];
};

/** No rate limits and few logs, unless `env` says otherwise. Resolves when it is ready. */
export async function startReplica({ env, port, nodeArgs = [] }: ReplicaOptions): Promise<Replica> {
  const at = port ?? (await freePort());
  const child = spawn(process.execPath, [...nodeArgs, 'dist/main.js'], {
    env: {
      PATH: process.env.PATH,
      PORT: String(at),
      WORKERS: '2',
      WARM_UP: 'false',
      LOG_LEVEL: 'warn',
      RATE_LIMIT_PER_KEY: '0',
      MAX_PARALLEL_PER_KEY: '0',
      ...env,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr?.on('data', chunk => (log += chunk));
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const url = `http://127.0.0.1:${at}`;
  await ready(
    `${url}/readyz`,
    () => child.exitCode !== null,
    () => log,
  );
  return {
    port: at,
    url,
    process: child,
    log: () => log,
    async end(signal) {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      const [code, by] = await ended;
      return code ?? by ?? 'unknown';
    },
  };
}

export async function ready(url: string, isDead: () => boolean, log: () => string, timeoutMs = 60_000): Promise<void> {
  const endsAt = performance.now() + timeoutMs;
  while (performance.now() < endsAt && !isDead()) {
    const ok = await fetch(url).then(
      answer => answer.ok,
      () => false,
    );
    if (ok) return;
    await sleep(50);
  }
  throw new Error(`${url} did not get ready:\n${log()}`);
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise(resolve => server.close(resolve));
  return port;
}
