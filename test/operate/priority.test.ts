// With THREAD_NICE, threads that compute for callers have a lower priority than the main thread.
import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { expect, test } from 'vitest';
import { newKey } from '../support/gateway.ts';
import { startReplica } from '../survive/support/replica.ts';

/** The nice values of all threads of the process, the main thread's first. */
const nicenessOf = (pid: number): number[] => {
  const threads = readdirSync(`/proc/${pid}/task`).sort((a, b) => Number(b === `${pid}`) - Number(a === `${pid}`));
  return threads.map(id =>
    Number(
      readFileSync(`/proc/${pid}/task/${id}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')[16],
    ),
  );
};

const ask = async (url: string, code: string) => {
  const answer = await fetch(`${url}/mcp`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${newKey()}`,
      'Content-Type': 'application/json',
      Accept: 'application/json',
    },
    body: JSON.stringify({
      ...{ jsonrpc: '2.0', id: 1, method: 'tools/call' },
      params: { name: 'search', arguments: { code } },
    }),
  });
  return answer.text();
};

test.runIf(process.platform === 'linux')(
  'with THREAD_NICE, threads that parse code or compute long get the nice value, other workers half of it, the main thread none',
  { timeout: 90_000 },
  async () => {
    const inherited = getPriority();
    const lower = Math.min(19, inherited + 8);
    const half = Math.ceil((inherited + lower) / 2);
    const gateway = await startReplica({ env: { THREAD_NICE: `${lower}`, WORKERS: '2' } });
    try {
      const count = (nice: number) => nicenessOf(gateway.process.pid ?? 0).filter(each => each === nice).length;
      expect(await ask(gateway.url, 'async () => { const six: number = 6; return six * 7 }')).toContain('42');
      expect(nicenessOf(gateway.process.pid ?? 0)[0]).toBe(inherited);
      expect(count(lower)).toBeGreaterThanOrEqual(1); // the thread that accepts TypeScript
      expect(count(half) + count(lower)).toBeGreaterThanOrEqual(3);
      const long = 'async () => { for (let i = 0; i < 1e7; i++); return 42 }';
      // On a busy machine the first run may have been long already; then the next ones may get the same worker.
      while (count(half) > 1) expect(await ask(gateway.url, long)).toContain('42');
      expect(count(lower)).toBeGreaterThanOrEqual(2);
    } finally {
      await gateway.end('SIGKILL');
    }
  },
);
