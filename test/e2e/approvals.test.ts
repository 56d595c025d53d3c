// Approvals with two replicas that share only their keys: each question is answered at the other replica.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { parseConfig } from '../../src/config.ts';
import { startGateway } from '../../src/gateway.ts';
import { accept, callRaw, connectAnswering, questionIn, type Reply, textOf } from '../support/approvals.ts';
import { connect } from '../support/clients.ts';
import { expectNoKeys, memoryLog, newKey, startTestGateway, type TestGateway } from '../support/gateway.ts';

const KEYS = `a:${randomBytes(32).toString('base64')}`;
const deletes: string[] = [];
let first: TestGateway;
let second: { readonly mcpUrl: URL; close(): Promise<void> };
const secondLog = memoryLog();

const env = { APPROVAL_STATE_BYTES: '40000', APPROVALS: 'ends', APPROVAL_KEYS: KEYS, WORKERS: '1', WARM_UP: 'false' };
async function startSecond(aheadMs = 0, more: Record<string, string> = {}) {
  const { url: E2B_API_URL } = first.cloud;
  const config = parseConfig({ ...env, ...more, PORT: '0', E2B_API_URL, E2B_SANDBOX_URL: E2B_API_URL });
  const gateway = await startGateway(config, secondLog.log, undefined, { now: () => Date.now() + aheadMs });
  return { mcpUrl: new URL(`${gateway.url}/mcp`), close: () => gateway.close() };
}

beforeAll(async () => {
  first = await startTestGateway({
    env,
    onRequest: request => {
      if (request.method === 'DELETE') deletes.push(request.url ?? '');
      return undefined;
    },
  });
  second = await startSecond();
});
afterAll(async () => {
  await second.close();
  await first.close();
  expectNoKeys(secondLog.lines);
});

let key: string;
beforeEach(() => {
  key = newKey();
  deletes.length = 0;
});

const MAKE = (n: number) =>
  `for (let i = 0; i < ${n}; i++) boxes.push(await Sandbox.create({ metadata: { n: String(i) } }));`;
/** Creates sandboxes, kills them together, and returns the results. */
const endSome = (n: number) => `async () => {
  const boxes = []; ${MAKE(n)}
  const before = [Math.random(), Date.now()];
  const ended = await Promise.all(boxes.map(b => b.kill().catch(e => e.code)));
  return { ended, same: before.length, left: (await Sandbox.list()).length };
}`;

const ask = (code: string, more: object = {}) => callRaw(first.mcpUrl, key, { code, ...more });
const answer = (code: string, state: string | undefined, reply?: Reply, more: object = {}) =>
  callRaw(second.mcpUrl, key, { code, state, reply, ...more });

it.each([
  ['all are approved', accept('approve'), '[true,true,true]', 0],
  ['some are approved', accept('choose', { item_2: true }), '["approval_refused",true,"approval_refused"]', 2],
  ['none is approved', accept('refuse'), '["approval_refused","approval_refused","approval_refused"]', 3],
  [
    'the person declines',
    { action: 'decline' } as const,
    '["approval_refused","approval_refused","approval_refused"]',
    3,
  ],
  [
    'the person cancels',
    { action: 'cancel' } as const,
    '["approval_refused","approval_refused","approval_refused"]',
    3,
  ],
  ['the answer makes no sense', accept('yes'), '["approval_refused","approval_refused","approval_refused"]', 3],
])('%s: the run continues at the other replica', async (_what, reply, ended, left) => {
  const code = endSome(3);
  const question = await ask(code);
  expect(question.resultType).toBe('input_required');
  expect(deletes).toEqual([]);
  expect(questionIn(question).message).toMatch(
    /^This run wants to end or delete 3 sandboxes.*\n1\. end or delete: Sandbox\.kill \w+ — "template \S+, running, started 0 min ago, metadata n=0"\n/,
  );
  const text = textOf(await answer(code, question.requestState, reply));
  expect(text.replace(/\s/g, '')).toContain(`"ended":${ended},"same":2,"left":${left}`);
  expect(deletes).toHaveLength(3 - left);
});

it.each([
  ['TypeScript', 'async (): Promise<boolean> => { const box: any = await Sandbox.create(); return await box.kill() }'],
  ['JSON around it', JSON.stringify({ code: 'async () => (await Sandbox.create()).kill()' })],
  ['a fence around it', '```js\nasync () => (await Sandbox.create()).kill()\n```'],
])('a run continues if the acceptor parses the code, not the engine: %s', async (_what, code) => {
  const { requestState } = await ask(code);
  const reply = await answer(code, requestState, accept('approve'));
  expect(textOf(reply)).toMatch(/^true$/m);
  expect(deletes).toHaveLength(1);
});

it('the SDK client gets one question for concurrent calls, and they are sent after approval', async () => {
  const client = await connectAnswering(first.mcpUrl, key, () => accept('approve'));
  expect(textOf(await client.call(endSome(2)))).toMatch(/"left":\s*0/);
  expect(client.asked).toHaveLength(1);
  expect(deletes).toHaveLength(2);
  await client.close();
});

it('consecutive calls are asked about one by one, or once with approve_run', async () => {
  const code = `async () => { const boxes = []; ${MAKE(3)} for (const b of boxes) await b.kill(); return boxes.length }`;
  const each = await connectAnswering(first.mcpUrl, key, () => accept('approve'));
  await each.call(code);
  const once = await connectAnswering(first.mcpUrl, key, () => accept('approve_run'));
  await once.call(code);
  expect([each.asked.length, once.asked.length, deletes.length]).toEqual([3, 1, 6]);
  await Promise.all([each.close(), once.close()]);
});

it('calls before the question are sent only once', async () => {
  const code = endSome(1);
  const { requestState } = await ask(code);
  const failing = textOf(await answer(code, requestState, accept('approve')));
  expect(failing).toMatch(/"left":\s*0/);
  const made = first.entries().filter(({ msg }) => msg === 'run');
  expect(made.at(-1)).toMatchObject({ outcome: 'suspended' });
});

it('the ledger has the approval, and the log has question and answer', async () => {
  const code = `async () => { const s = await Sandbox.create(); await s.kill(); throw new Error('shown') }`;
  const { requestState } = await ask(code);
  const text = textOf(await answer(code, requestState, accept('approve')));
  expect(text).toMatch(
    /Sandbox\.create \w+ → done \(.*\n.*Sandbox\.kill \w+ → done, approved by the person at \d\d:\d\d UTC/,
  );
  const line = (entries: readonly { msg: string }[], msg: string) => entries.findLast(entry => entry.msg === msg);
  expect(line(first.entries(), 'approval asked for')).toMatchObject({ tool: 'execute_write', count: 1 });
  expect(line(secondLog.entries(), 'approval answered')).toMatchObject({ approved: 1, refused: 0 });
});

/** A protocol error, as MCP wants it, not the result of a tool. */
const INVALID = /"code":-32602,"message":"approval_state_invalid: /;

it.each([
  ['is changed', (state: string) => `${state.slice(0, -3)}${state.endsWith('AAA') ? 'BBB' : 'AAA'}`],
  ['is cut', (state: string) => state.slice(0, -8)],
  ['is another text', () => 'nothing'],
  ['is empty', () => ''],
])('a state that %s is refused, and nothing runs', async (_what, change) => {
  const code = endSome(1);
  const { requestState = '' } = await ask(code);
  await expect(answer(code, change(requestState), accept('approve'))).rejects.toThrow(INVALID);
  expect(deletes).toEqual([]);
});

it('a state is valid only for its code, its tool and its key', async () => {
  const code = endSome(1);
  const { requestState } = await ask(code);
  const elsewhere = [
    () => answer(`${code} `, requestState, accept('approve')),
    () => answer(code, requestState, accept('approve'), { tool: 'execute_read' }),
    () => callRaw(second.mcpUrl, newKey(), { code, state: requestState, reply: accept('approve') }),
  ];
  for (const send of elsewhere) await expect(send()).rejects.toThrow(INVALID);
  expect(deletes).toEqual([]);
});

it('the same question is asked again if there is no answer', async () => {
  const code = endSome(1);
  const question = await ask(code);
  const again = await answer(code, question.requestState);
  expect(again.resultType).toBe('input_required');
  expect(questionIn(again)).toEqual(questionIn(question));
  expect(textOf(await answer(code, again.requestState, accept('approve')))).toMatch(/"left":\s*0/);
});

it('an answer is used once per process, and only approved calls are sent', async () => {
  const code = endSome(1);
  const { requestState } = await ask(code);
  expect(textOf(await answer(code, requestState, accept('approve')))).toMatch(/"left":\s*0/);
  expect(textOf(await answer(code, requestState, accept('approve')))).toMatch(/approval_used/);
  // Without Redis replicas do not share used answers, so each may send the approved calls once.
  expect(textOf(await ask(code, { state: requestState, reply: accept('approve') }))).toMatch(/"ended":\s*\[\s*false/);
  expect(deletes).toHaveLength(2);
  expect(new Set(deletes).size).toBe(1);
});

it('a state is valid after the process that made it has ended', async () => {
  const other = await startSecond();
  const code = endSome(1);
  const { requestState } = await callRaw(other.mcpUrl, key, { code });
  await other.close();
  const restarted = await startSecond();
  const result = await callRaw(restarted.mcpUrl, key, { code, state: requestState, reply: accept('approve') });
  expect(textOf(result)).toMatch(/"left":\s*0/);
  await restarted.close();
});

it('private ports of a sandbox can still be reached after the question', async () => {
  const code = `async () => {
    const [own, other] = [await Sandbox.create({ network: { allowPublicTraffic: false } }), await Sandbox.create()];
    const status = async () => (await own.fetch(8080, '/')).status;
    const endsAt = async () => String((await own.getInfo()).endAt);
    const before = [await status(), await endsAt()];
    await other.kill();
    const after = [await status(), await status(), await endsAt()];
    return [before[0], after[0], after[1], before[1] === after[2]];
  }`;
  const { requestState } = await ask(code);
  // No server listens on the port. Without the token the status would be 403.
  const text = textOf(await answer(code, requestState, accept('approve')));
  expect(text.replace(/\s/g, '')).toContain('[502,502,502,true]');
});

it('a state is valid as long as its key is in the ring', async () => {
  const newRing = `b:${randomBytes(32).toString('base64')}`;
  const [rotated, foreign] = await Promise.all([
    startSecond(0, { APPROVAL_KEYS: `${newRing},${KEYS}` }),
    startSecond(0, { APPROVAL_KEYS: newRing }),
  ]);
  const code = endSome(1);
  const { requestState } = await ask(code);
  const sent = { code, state: requestState, reply: accept('approve') };
  await expect(callRaw(foreign.mcpUrl, key, sent)).rejects.toThrow(INVALID);
  expect(deletes).toEqual([]);
  expect(textOf(await callRaw(rotated.mcpUrl, key, sent))).toMatch(/"left":\s*0/);
  await Promise.all([rotated.close(), foreign.close()]);
});

it.each([
  ['approved', 'approve', /Error: mine/, 1],
  ['refused', 'refuse', /approval_refused/, 0],
])('an error is not lost in a finally that kills the sandbox: %s', async (_what, decision, shown, ended) => {
  const code = `async () => {
    const box = await Sandbox.create();
    try { await box.files.write('/tmp/a', new Uint8Array(1e6)); throw new Error('mine') } finally { await box.kill() }
  }`;
  const { requestState } = await ask(code);
  expect(textOf(await answer(code, requestState, accept(decision)))).toMatch(shown);
  expect(deletes).toHaveLength(ended);
});

const LIFE_MS = 15 * 60_000;

it('an answer is valid for 15 minutes at any replica', async () => {
  const [before, after] = await Promise.all([startSecond(LIFE_MS - 60_000), startSecond(LIFE_MS + 1)]);
  const code = endSome(1);
  const { requestState } = await ask(code);
  const sent = { code, state: requestState, reply: accept('approve') };
  const late = await callRaw(after.mcpUrl, key, sent);
  expect([late.isError, textOf(late)]).toEqual([
    true,
    expect.stringMatching(/^approval_expired: .*Send the call anew/),
  ]);
  expect(deletes).toEqual([]);
  expect(textOf(await callRaw(before.mcpUrl, key, sent))).toMatch(/"left":\s*0/);
  expect(deletes).toHaveLength(1);
  await Promise.all([before.close(), after.close()]);
});

it.each([
  ['more than the state may contain', 60_000],
  ['more than is recorded', 200_000],
])('a call is refused if the run has read too much to be suspended: %s', async (_what, chars) => {
  const code = `async () => {
    const s = await Sandbox.create();
    let x = 1; const text = Array.from({ length: ${chars} }, () => ((x = (x * 48271) % 2147483647) % 36).toString(36)).join('');
    await s.files.write('/tmp/big', text);
    await s.files.read('/tmp/big');
    await s.kill();
  }`;
  expect(textOf(await ask(code))).toMatch(/approval_too_large.*Read first and return.*files\.read \w+ → done/s);
  expect(deletes).toEqual([]);
});

it('execute_read needs no approval, and a client without forms is refused', async () => {
  const plain = await connect(first.mcpUrl, key);
  expect((await plain.call('execute_read', 'async () => (await Sandbox.list()).length')).text).toContain('0');
  expect((await plain.call('execute_write', endSome(1))).text).toContain('approval_unavailable');
  await plain.close();
});
