// Measures how long a new process takes, in turn with `node -e 1`: over stdio until it has answered `initialize` and
// the first search, over HTTP until it is ready.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { here } from './processes.ts';

type Start = { readonly node: number; readonly initialize: number; readonly search: number; readonly ready: number };

const ENV = { PATH: process.env['PATH'], E2B_API_KEY: `e2b_${'b'.repeat(40)}`, PORT: '0', LOG_FORMAT: 'json' };

export async function measureStarts(rounds: number): Promise<readonly Start[]> {
  const starts: Start[] = [];
  for (let round = 0; round < rounds; round++)
    starts.push({ node: await bareNode(), ...(await overStdio()), ready: await overHttp() });
  return starts;
}

function start(args: readonly string[]): { readonly child: ChildProcess; readonly sinceMs: () => number } {
  const startedAt = performance.now();
  const child = spawn(process.execPath, args, { env: ENV, stdio: ['pipe', 'pipe', 'pipe'] });
  return { child, sinceMs: () => performance.now() - startedAt };
}

async function bareNode(): Promise<number> {
  const { child, sinceMs } = start(['-e', '1']);
  await once(child, 'exit');
  return sinceMs();
}

async function overStdio(): Promise<Pick<Start, 'initialize' | 'search'>> {
  const { child, sinceMs } = start([here('../main.js'), '--stdio']);
  const send = (message: object) => child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const clientInfo = { name: 'bench', version: '1.0.0' };
  send({ id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo } });
  const lines = linesOf(child.stdout);
  await lines.next();
  const initialize = sinceMs();
  send({ method: 'notifications/initialized' });
  const code = `async () => find('pause a sandbox', { limit: 3 })`;
  send({ id: 2, method: 'tools/call', params: { name: 'search', arguments: { code } } });
  await lines.next();
  const search = sinceMs();
  await end(child);
  return { initialize, search };
}

async function overHttp(): Promise<number> {
  const { child, sinceMs } = start([here('../main.js')]);
  for await (const line of linesOf(child.stderr)) if (line.includes('"listening"')) break;
  const ready = sinceMs();
  await end(child);
  return ready;
}

const linesOf = (stream: ChildProcess['stdout']): AsyncIterator<string> & AsyncIterable<string> => {
  if (stream === null) throw new Error('the process has no pipes');
  return createInterface({ input: stream })[Symbol.asyncIterator]();
};

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}
