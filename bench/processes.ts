// Starts contenders in their own processes, so that their CPU time and memory can be read from the system.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

export type Contender = {
  readonly url: string;
  /** CPU time of all threads so far, in seconds. NaN if there is no /proc. */
  cpuSeconds(): number;
  residentMb(): number;
  close(): void;
};

/** Path of a file, relative to dist/bench. */
export const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** `script`: relative to dist/bench. */
export async function startContender(
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Contender> {
  const port = await freePort();
  const child = spawn(process.execPath, [here(script), ...args], {
    env: { PATH: process.env.PATH, PORT: String(port), LOCAL_PORT: String(port), ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}`;
  await answers(url, child);
  return {
    url,
    cpuSeconds: () => cpuSeconds(child.pid),
    residentMb: () => residentMb(child.pid),
    close: () => void child.kill('SIGKILL'),
  };
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 600 && child.exitCode === null; tries++) {
    const up = await fetch(url).then(
      () => true,
      () => false,
    );
    if (up) return;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error(`${child.spawnargs.join(' ')} does not answer`);
}

function cpuSeconds(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100; // USER_HZ
  } catch {
    return Number.NaN;
  }
}

function residentMb(pid: number | undefined): number {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
  } catch {
    return Number.NaN;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise(resolve => server.close(resolve));
  return port;
}
