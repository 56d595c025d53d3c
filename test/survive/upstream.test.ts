// The API behind the gateway fails in many ways: the caller gets a clear error, other callers are not affected, and once
// the API recovers, calls succeed again.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalCloud, startLocalCloud } from '../../local/server.ts';
import { type Fault, faulty } from '../support/faults.ts';
import { callTool } from './support/load.ts';
import { freePort, type Replica, startReplica } from './support/replica.ts';

const READ = `async () => {
  const answer = await api.request({ method: 'GET', path: '/v2/sandboxes' }).catch(error => ({ code: error.code, message: error.message }));
  return { status: answer.status, code: answer.code, message: answer.message };
}`;
const WRITE = READ.replace(
  `method: 'GET', path: '/v2/sandboxes'`,
  `method: 'POST', path: '/sandboxes', body: { templateID: 'base' }`,
);

let fault: Fault | undefined;
let requests = 0;
let cloud: LocalCloud;
let replica: Replica;
let port: number;

const startCloud = () =>
  startLocalCloud({
    port,
    ...faulty(() => {
      requests++;
      return fault;
    }),
  });

beforeAll(async () => {
  port = await freePort();
  cloud = await startCloud();
  replica = await startReplica({ env: { E2B_API_URL: cloud.url, E2B_SANDBOX_URL: cloud.url, RUN_TIMEOUT_MS: '2500' } });
});
afterAll(async () => {
  await replica.end('SIGKILL');
  await cloud.close();
});

/** Results of many calls at once, and of searches at the same time, which must not suffer. */
async function under(wrong: Fault | undefined, tool: string, code: string): Promise<{ text: string; sent: number }> {
  fault = wrong;
  const before = requests;
  const storm = Array.from({ length: 12 }, () => callTool(replica.url, tool, code));
  const beside = Array.from({ length: 4 }, () =>
    callTool(replica.url, 'search', 'async () => Object.keys(spec).length'),
  );
  const searches = await Promise.all(beside);
  const answers = await Promise.all(storm);
  fault = undefined;
  expect(searches.filter(({ ok }) => !ok)).toEqual([]);
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  const [first] = answers;
  return { text: first?.text ?? '', sent: requests - before };
}

describe.each<[string, Fault, RegExp]>([
  ['resets connections', 'reset', /upstream_unreachable/],
  ['answers garbage', 'garbage', /upstream_unreachable|upstream_failed/],
  ['answers 200 with no JSON', { status: 200, body: '<html>surprise</html>' }, /200/],
  ['answers 500', { status: 500, body: { message: 'broken' } }, /500/],
  ['throttles', { status: 429, headers: { 'retry-after': '1' }, body: { message: 'slow down' } }, /429/],
  ['throttles for an hour', { status: 429, headers: { 'retry-after': '3600' } }, /429/],
  ['says 503', { status: 503 }, /503/],
  ['never answers', 'hang', /time_exceeded|upstream_timeout/],
])('an API that %s', (_title, wrong, said) => {
  it('a read gets a clear error', async () => expect((await under(wrong, 'execute_read', READ)).text).toMatch(said));

  it('a write is sent once and never repeated', async () => {
    const { text, sent } = await under(wrong, 'execute_write', WRITE);
    expect(text).toMatch(said);
    expect(sent).toBe(12);
  });

  it('calls succeed again afterwards', async () =>
    expect((await under(undefined, 'execute_read', READ)).text).toMatch(/status\\*": *200/));
});

it('a slow response within the time limit is returned', async () =>
  expect((await under({ delayMs: 700 }, 'execute_read', READ)).text).toMatch(/status\\*": *200/));

it('calls fail while the API is down and succeed once it is back', async () => {
  await cloud.close();
  expect((await under(undefined, 'execute_write', WRITE)).text).toMatch(/upstream_unreachable.*not sent/s);
  cloud = await startCloud();
  expect((await under(undefined, 'execute_read', READ)).text).toMatch(/status\\*": *200/);
});

it('the process was not restarted', () => expect(replica.process.exitCode).toBe(null));
