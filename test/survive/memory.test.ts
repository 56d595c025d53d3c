// After 10,000 requests the process uses no more memory than after the first quarter, and every request got a response.
import { expect, it } from 'vitest';
import { startLocalCloud } from '../../local/server.ts';
import { callTool } from './support/load.ts';
import { startReplica } from './support/replica.ts';

const REQUESTS = 10_000;
const CALLERS = 16;
const WORKER_MB = 80;
const CODE = [
  ['search', `async () => find('pause a sandbox', { limit: 3 })`],
  ['execute_read', `async () => (await api.request({ method: 'GET', path: '/v2/sandboxes' })).status`],
  ['execute_read', `async () => ({ padding: 'x'.repeat(20_000) })`],
  ['execute_read', `async () => { throw new Error('on purpose') }`],
] as const;

it('memory stays flat over 10,000 requests', { timeout: 180_000 }, async () => {
  const cloud = await startLocalCloud({ port: 0 });
  const replica = await startReplica({
    env: { E2B_API_URL: cloud.url, E2B_SANDBOX_URL: cloud.url, LOG_LEVEL: 'error' },
  });
  const figures = async () => {
    const page = await (await fetch(`${replica.url}/metrics`)).text();
    const figure = (name: string) => Number(new RegExp(`^${name} (\\d+)`, 'm').exec(page)?.[1]);
    return { mb: figure('process_resident_memory_bytes') / 1e6, workers: figure('codemode_workers') };
  };
  let sent = 0;
  let unanswered = 0;
  const until = async (count: number) => {
    const caller = async () => {
      while (sent < count) {
        const [tool, code] = CODE[sent++ % CODE.length] ?? CODE[0];
        const { status } = await callTool(replica.url, tool, code);
        if (status !== 200) unanswered++;
      }
    };
    await Promise.all(Array.from({ length: CALLERS }, caller));
    return figures();
  };
  const early = await until(REQUESTS / 4);
  const late = await until(REQUESTS);
  const describeUse = ({ mb, workers }: typeof early) => `${mb.toFixed(0)} MB with ${workers} workers`;
  console.log(`resident memory after ${REQUESTS / 4}: ${describeUse(early)}, after ${REQUESTS}: ${describeUse(late)}`);
  expect(unanswered).toBe(0);
  // A machine that is busy with other things makes the engine start further workers, up to a fixed number.
  const moreWorkers = Math.max(0, late.workers - early.workers);
  expect(late.mb).toBeLessThan(early.mb * 1.25 + moreWorkers * WORKER_MB);
  await replica.end('SIGKILL');
  await cloud.close();
});
