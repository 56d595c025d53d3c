// The kinds of operations in questions, and unusual forms of answers, seen by a client with a person.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accept, callRaw, connectAnswering, questionIn, type Reply, textOf } from '../support/approvals.ts';
import { connect } from '../support/clients.ts';
import { newKey, startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({ env: { APPROVALS: 'writes', WORKERS: '1' } });
});
afterAll(() => gateway.close());

/** Approves all questions of a run and returns what they ask. */
async function questionsOf(body: string): Promise<string[]> {
  const client = await connectAnswering(gateway.mcpUrl, newKey(), () => accept('approve'));
  const code = `async () => { const sbx = await Sandbox.create(); const seen = []; ${body}; return 'reached' }`;
  const text = textOf(await client.call(code));
  await client.close();
  expect(text).toContain('reached');
  return client.asked.map(({ message }) => /(?<=\n1\. )[\w ]+: \S+/.exec(message)?.[0] ?? message);
}

const CREATED = 'create: Sandbox.create';

it.each([
  ["await sbx.files.write('/tmp/a', 'x')", ['change: Sandbox.files.write']],
  ["await sbx.files.write([{ path: '/tmp/a', data: 'x' }])", ['change: Sandbox.files.write']],
  ["await sbx.files.makeDir('/tmp/d')", ['change: Sandbox.files.makeDir']],
  ["await sbx.files.rename('/etc/hostname', '/tmp/h').catch(() => {})", ['change: Sandbox.files.rename']],
  ["await sbx.files.remove('/tmp/none').catch(() => {})", ['end or delete: Sandbox.files.remove']],
  ["await sbx.commands.run('true')", ['change: Sandbox.commands.run']],
  ["await sbx.runCode('1').catch(() => {})", ['change: Sandbox.runCode']],
  ["await sbx.fetch(8080, '/')", ['change: Sandbox.fetch']],
  ['await sbx.setTimeout(60_000)', ['change: Sandbox.setTimeout']],
  ['await sbx.setTimeout(0)', ['end or delete: Sandbox.setTimeout']],
  ['await sbx.pause()', ['pause: Sandbox.pause']],
  ['await Sandbox.connect(sbx.sandboxId)', ['start: Sandbox.connect']],
  ['await sbx.createSnapshot()', ['create: Sandbox.createSnapshot']],
  [
    "await api.request({ method: 'POST', path: '/events/webhooks', body: { name: 'n', enabled: true, url: 'https://example.com', events: ['sandbox.lifecycle.created'], signatureSecret: 's'.repeat(40) } })",
    ['create: POST'],
  ],
  ["await api.request({ method: 'DELETE', path: '/events/webhooks/none' })", ['end or delete: DELETE']],
  [
    "await sbx.files.list('/'); await sbx.files.exists('/a'); await sbx.getInfo(); await sbx.commands.list(); await Sandbox.list(); await sbx.isRunning(); await api.request({ method: 'GET', path: '/templates' })",
    [],
  ],
])('with the policy writes, %s asks about %j', async (body, asked) => {
  expect(await questionsOf(body)).toEqual([CREATED, ...asked]);
});

const CODE = 'async () => (await Sandbox.create().catch(e => e.code)) === "approval_refused" ? "refused" : "made"';

it.each([
  ['accept without content', { action: 'accept' }, 'refused'],
  ['a decision of another type', { action: 'accept', content: { decision: true } }, 'refused'],
  ['a decision in a list', { action: 'accept', content: { decision: ['approve'] } }, 'refused'],
  ['an unknown decision', { action: 'accept', content: { decision: 'APPROVE' } }, 'refused'],
  ['choose without a tick', { action: 'accept', content: { decision: 'choose' } }, 'refused'],
  ['a tick as text', { action: 'accept', content: { decision: 'choose', item_1: 'true' } }, 'refused'],
  [
    'a tick for an item that does not exist',
    { action: 'accept', content: { decision: 'choose', item_2: true } },
    'refused',
  ],
  ['content without a decision', { action: 'accept', content: { item_1: true, approve: true } }, 'refused'],
  ['a declined approval', { action: 'decline', content: { decision: 'approve' } }, 'refused'],
  ['a cancelled approval', { action: 'cancel', content: { decision: 'approve' } }, 'refused'],
  ['fields beside the decision', { action: 'accept', content: { decision: 'approve', more: 'x' } }, 'made'],
] as const)('an answer with %s gives %s', async (_what, reply, result) => {
  const key = newKey();
  const { requestState } = await callRaw(gateway.mcpUrl, key, { code: CODE });
  const answered = await callRaw(gateway.mcpUrl, key, { code: CODE, state: requestState, reply: reply as Reply });
  expect(textOf(answered)).toContain(result);
});

it.each([
  ['no action', {}],
  ['an unknown action', { action: 'yes', content: { decision: 'approve' } }],
  ['another type', 'approve'],
  ['nothing', null],
])('an answer of an unknown form approves nothing: %s', async (_what, reply) => {
  const key = newKey();
  const { requestState } = await callRaw(gateway.mcpUrl, key, { code: CODE });
  const sent = { code: CODE, state: requestState, reply: reply as unknown as Reply };
  const result = await callRaw(gateway.mcpUrl, key, sent).then(
    answered => (answered.resultType === 'input_required' ? 'asked again' : textOf(answered)),
    (error: Error) => error.message,
  );
  expect(result).toMatch(/^asked again$|-32602|refused/);
  expect(result).not.toContain('made');
});

it('a state that is changed in any place is refused', async () => {
  const key = newKey();
  const { requestState = '' } = await callRaw(gateway.mcpUrl, key, { code: CODE });
  const at = Array.from({ length: 12 }, (_, i) => Math.floor((requestState.length * i) / 12));
  for (const index of at) {
    const other = requestState[index] === 'A' ? 'B' : 'A';
    const state = requestState.slice(0, index) + other + requestState.slice(index + 1);
    await expect(callRaw(gateway.mcpUrl, key, { code: CODE, state, reply: accept('approve') })).rejects.toThrow(
      /approval_state_invalid/,
    );
  }
});

it('a sandbox that ends before the person answers is missing when the run continues', async () => {
  const key = newKey();
  const made = await connect(gateway.mcpUrl, key);
  const code = `async () => {
    const [sbx] = await Sandbox.list({ limit: 1 });
    return sbx === undefined ? 'none' : { killed: await Sandbox.kill(sbx.sandboxId) };
  }`;
  const client = await connectAnswering(gateway.mcpUrl, key, () => accept('approve'));
  await client.call('async () => { await Sandbox.create() }');
  const question = await callRaw(gateway.mcpUrl, key, { code });
  expect(questionIn(question).message).toMatch(/running, started 0 min ago/);
  for (const { sandboxId } of gateway.cloud.cloud.all()) await client.call(`async () => Sandbox.kill('${sandboxId}')`);
  const answered = await callRaw(gateway.mcpUrl, key, {
    ...{ code, state: question.requestState, reply: accept('approve') },
  });
  expect(textOf(answered)).toMatch(/"killed":\s*false/);
  await Promise.all([client.close(), made.close()]);
});
