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

test.runIf(process.platform === 'linux')(
  'with THREAD_NICE, threads that run or parse code get the nice value, and the main thread does not',
  { timeout: 90_000 },
  async () => {
    const inherited = getPriority();
    const lower = Math.min(19, inherited + 7);
    const gateway = await startReplica({ env: { THREAD_NICE: `${lower}`, WORKERS: '2' } });
    try {
      const call = { name: 'search', arguments: { code: 'async () => { const six: number = 6; return six * 7 }' } };
      const answer = await fetch(`${gateway.url}/mcp`, {
        method: 'POST',
        headers: {
          Authorization: `Bearer ${newKey()}`,
          'Content-Type': 'application/json',
          Accept: 'application/json',
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: call }),
      });
      expect(await answer.text()).toContain('42');
      const [main, ...others] = nicenessOf(gateway.process.pid ?? 0);
      expect(main).toBe(inherited);
      // Two workers and the thread that accepts TypeScript.
      expect(others.filter(nice => nice === lower).length).toBeGreaterThanOrEqual(3);
    } finally {
      await gateway.end('SIGKILL');
    }
  },
);
