// Runs in microVMs that wait for a user: two replicas that share nothing but their keys, and random programs.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LocalCloud } from '../../../local/server.ts';
import { Harness } from '../../contract/harness.ts';
import { interruptionsChangeNothing } from '../../contract/tape-property.ts';
import { accept, callRaw, questionIn, textOf } from '../../support/approvals.ts';
import { faulty } from '../../support/faults.ts';
import { newKey, startTestGateway, type TestGateway } from '../../support/gateway.ts';
import { microvmEngine, startProcessCloud } from '../../support/microvm.ts';

const deletes: string[] = [];
let cloud: LocalCloud;
let replicas: readonly [TestGateway, TestGateway];
const guest = new Harness({ machinePerRun: true });
beforeAll(async () => {
  cloud = await startProcessCloud(
    faulty(({ method, url = '' }) => {
      if (method === 'DELETE') deletes.push(url);
      return undefined;
    }),
  );
  const env = {
    ...{ SANDBOX_ENGINE: 'e2b', E2B_API_URL: cloud.url, E2B_SANDBOX_URL: cloud.url, RUN_TIMEOUT_MS: '20000' },
    ...{ APPROVALS: 'ends', APPROVAL_KEYS: `a:${randomBytes(32).toString('base64')}` },
  };
  replicas = await Promise.all([startTestGateway({ env }), startTestGateway({ env })]);
  await guest.open(async () => microvmEngine(cloud));
});
afterAll(async () => {
  await guest.close();
  await Promise.all(replicas.map(replica => replica.close()));
  await cloud.close();
});

it.each([
  ['approved', accept('approve'), true, 1],
  ['refused', accept('refuse'), 'approval_refused', 0],
] as const)('%s: the run continues in a microVM of the other replica', async (_what, reply, ended, sent) => {
  const key = newKey();
  const code = `async () => {
    const sbx = await Sandbox.create({ metadata: { n: '1' } });
    const before = [Math.random(), crypto.randomUUID(), Date.now(), sbx.sandboxId];
    await sbx.files.write('/tmp/before', JSON.stringify(before));
    await new Promise(r => setTimeout(r, 20));
    const ended = await Sandbox.kill('inothere').catch(e => e.code);
    const kept = JSON.parse(await sbx.files.read('/tmp/before'));
    const killed = await sbx.kill().catch(e => e.code);
    return { same: JSON.stringify(kept) === JSON.stringify(before), ended, killed };
  }`;
  const first = await callRaw(replicas[0].mcpUrl, key, { code });
  expect(questionIn(first).message).toContain('Sandbox.kill inothere');
  const second = await callRaw(replicas[1].mcpUrl, key, { code, state: first.requestState, reply });
  const [id = ''] = /(?<=Sandbox\.kill )i\w+/.exec(questionIn(second).message) ?? [];
  const last = await callRaw(replicas[0].mcpUrl, key, { code, state: second.requestState, reply });
  const approved = ended === true;
  expect(JSON.parse(/\{[^}]*\}/.exec(textOf(last))?.[0] ?? textOf(last))).toEqual({
    same: true,
    ended: approved ? false : ended,
    killed: ended,
  });
  expect(deletes.filter(url => url.endsWith(`/${id}`))).toHaveLength(sent);
});

it('random programs give the same results interrupted and uninterrupted', { timeout: 120_000 }, async () => {
  expect(await interruptionsChangeNothing(guest, 10)).toBeGreaterThan(0);
});
