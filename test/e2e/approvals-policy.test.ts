// Which calls need approval by setting and header, seen by clients that cannot ask a person.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CLIENTS, connect, type TestClient } from '../support/clients.ts';
import { newKey, startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateways: Record<'off' | 'ends' | 'writes' | 'pass', TestGateway>;
beforeAll(async () => {
  const start = (env: Record<string, string>) => startTestGateway({ env: { WORKERS: '1', ...env } });
  const [off, ends, writes, pass] = await Promise.all([
    start({}),
    start({ APPROVALS: 'ends' }),
    start({ APPROVALS: 'writes' }),
    start({ APPROVALS: 'ends', APPROVALS_FALLBACK: 'pass' }),
  ]);
  gateways = { off, ends, writes, pass };
});
afterAll(async () => {
  await Promise.all(Object.values(gateways).map(gateway => gateway.close()));
});

const clients: TestClient[] = [];
afterAll(async () => {
  await Promise.all(clients.map(client => client.close()));
});

async function clientOf(name: keyof typeof gateways, headers = {}, key = newKey()): Promise<TestClient> {
  const client = await connect(gateways[name].mcpUrl, key, headers);
  clients.push(client);
  return client;
}

/** Returns the result of the code, or the code of the error that it throws. */
const trying = (code: string) => `async () => { try { return await (${code})() } catch (e) { return e.code } }`;
const CREATE = 'async () => { const { sandboxId } = await Sandbox.create(); return "made" }';
const KILL = 'async () => { const sbx = await Sandbox.create(); return [await sbx.kill()] }';
const KILL_BY_REQUEST =
  'async () => { const { sandboxId } = await Sandbox.create(); return [(await api.request({ method: "DELETE", path: `/sandboxes/${sandboxId}` })).status] }';
const INSIDE_OWN =
  'async () => { const sbx = await Sandbox.create(); await sbx.files.write("/tmp/a", "1"); await sbx.files.remove("/tmp/a"); return [await sbx.files.exists("/tmp/a")] }';

const SHORTEN = (timeout: number) =>
  `async () => { const { sandboxId } = await Sandbox.create(); return [(await api.request({ method: 'POST', path: '/sandboxes/' + sandboxId + '/timeout', body: { timeout: ${timeout} } })).status] }`;

const REFUSED = 'approval_unavailable';

it.each([
  ['off', CREATE, 'made'],
  ['off', KILL, '[true]'],
  ['ends', CREATE, 'made'],
  ['ends', KILL, REFUSED],
  ['ends', KILL_BY_REQUEST, REFUSED],
  ['ends', INSIDE_OWN, '[false]'],
  ['ends', 'async () => api.request({ method: "DELETE", path: "/templates/abc" })', REFUSED],
  ['ends', 'async () => { const sbx = await Sandbox.create(); await sbx.setTimeout(60_000); return ["kept"] }', 'kept'],
  ['ends', 'async () => (await Sandbox.create()).setTimeout(0)', REFUSED],
  ['ends', SHORTEN(1), REFUSED],
  ['ends', SHORTEN(300), '[204]'],
  ['writes', CREATE, REFUSED],
  ['writes', 'async () => (await Sandbox.list()).length', '0'],
  ['pass', KILL, '[true]'],
] as const)('policy %s: %s gives %s', async (policy, code, result) => {
  const client = await clientOf(policy);
  expect((await client.call('execute_write', trying(code))).text).toContain(result);
});

it('removing a file in a sandbox that another run made needs approval', async () => {
  const client = await clientOf('ends');
  const made = (await client.call('execute_write', 'async () => (await Sandbox.create()).sandboxId')).text;
  const [id = ''] = /(?<=Still running: )\w+/.exec(made) ?? [];
  const code = `async () => (await Sandbox.connect('${id}')).files.remove('/tmp')`;
  expect((await client.call('execute_write', trying(code))).text).toContain(REFUSED);
});

it.each([
  ['off', 'ends', REFUSED],
  ['ends', 'off', REFUSED],
  ['ends', 'WRITES', REFUSED],
  ['off', 'off', '[true]'],
] as const)('setting %s and header %s: %s', async (setting, header, result) => {
  const client = await clientOf(setting, { 'X-Approvals': header });
  expect((await client.call('execute_write', trying(KILL))).text).toContain(result);
});

it('an unknown policy in the header is refused', async () => {
  await expect(clientOf('off', { 'X-Approvals': 'end' })).rejects.toThrow(/X-Approvals must be off, ends or writes/);
});

it.each(Object.keys(CLIENTS) as (keyof typeof CLIENTS)[])('%s without elicitation is refused', async name => {
  const client = await CLIENTS[name](gateways.ends.mcpUrl, newKey());
  clients.push(client);
  const { text } = await client.call('execute_write', KILL);
  expect(text).toMatch(/approval_unavailable.*needs the approval of a person/s);
  expect(text).toMatch(/Sandbox\.kill i\w+ → refused approval_unavailable/);
});

it('the ledger marks a call that was sent because nobody can be asked', async () => {
  const client = await clientOf('pass');
  const { text } = await client.call('execute_write', `async () => { await (${KILL})(); throw new Error('shown') }`);
  expect(text).toMatch(/Sandbox\.kill i\w+ → done, nobody was asked/);
});
