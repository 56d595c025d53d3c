// The wall clock jumps, as it does when a machine sleeps or its time is set. Timeouts must not depend on it. A module
// loaded before the program moves the clock of that process only.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type LocalCloud, startLocalCloud } from '../../local/server.ts';
import { newKey } from '../support/gateway.ts';
import { callTool } from './support/load.ts';
import { type Replica, startReplica } from './support/replica.ts';

/** Each SIGUSR2 moves the process's Date: a day ahead, then two years back, then right again. */
const CLOCK = `
const RealDate = Date;
const offsets = [86_400_000, -63_072_000_000, 0];
let offset = 0;
globalThis.Date = class extends RealDate {
  constructor(...args) { args.length === 0 ? super(RealDate.now() + offset) : super(...args); }
  static now() { return RealDate.now() + offset; }
};
process.on('SIGUSR2', () => { offset = offsets.shift() ?? 0; console.error('clock moved ' + offset); });
`;

let cloud: LocalCloud;
let replica: Replica;
beforeAll(async () => {
  cloud = await startLocalCloud({ port: 0 });
  replica = await startReplica({
    env: { E2B_API_URL: cloud.url, E2B_SANDBOX_URL: cloud.url, RATE_LIMIT_PER_KEY: '2', RUN_TIMEOUT_MS: '2000' },
    nodeArgs: ['--import', `data:text/javascript,${encodeURIComponent(CLOCK)}`],
  });
});
afterAll(async () => {
  await replica.end('SIGKILL');
  await cloud.close();
});

it.each([86_400_000, -63_072_000_000, 0])(
  'runs and limits keep their times when the clock jumps by %i ms',
  async offset => {
    const wait = (ms: number) => `async () => { await new Promise(done => setTimeout(done, ${ms})); return 'done' }`;
    const short = callTool(replica.url, 'execute_read', wait(800));
    const long = callTool(replica.url, 'execute_read', wait(10_000));
    const read = callTool(
      replica.url,
      'execute_read',
      `async () => { await new Promise(done => setTimeout(done, 500)); return (await api.request({ method: 'GET', path: '/v2/sandboxes' })).status }`,
    );
    const limited = newKey();
    await callTool(replica.url, 'execute_read', 'async () => 1', limited);
    await callTool(replica.url, 'execute_read', 'async () => 1', limited);
    await sleep(100);
    replica.process.kill('SIGUSR2');
    await expect.poll(() => replica.log()).toContain(`clock moved ${offset}`);

    expect((await short).ok).toBe(true);
    expect((await read).ok).toBe(true);
    const ended = await long;
    expect(ended.text).toContain('time_exceeded');
    expect(ended.endedAt - ended.startedAt).toBeGreaterThan(1_900);

    const answer = await fetch(`${replica.url}/mcp`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${limited}`, 'Content-Type': 'application/json' },
      body: '{}',
    });
    // The count may be wrong after a jump, but no caller has to wait longer than the window.
    if (answer.status === 429) expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect((await callTool(replica.url, 'execute_read', 'async () => 1')).ok).toBe(true);
  },
);
