// The unpacked state of a run that waits for a person counts as its caller's memory.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accept, callRaw, textOf } from '../support/approvals.ts';
import { newKey, startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
let reads = 0;
beforeAll(async () => {
  gateway = await startTestGateway({
    env: { APPROVALS: 'ends', APPROVAL_STATE_BYTES: '400000', MEMORY_PER_KEY_MB: '4' },
    onRequest: ({ method, url = '' }) => {
      if (method !== 'GET' || !url.startsWith('/v2/sandboxes?state=paused')) return undefined;
      reads += 1;
      return 'hang';
    },
  });
});
afterAll(() => gateway.close());

const READ_MUCH_AND_KILL = `async () => {
  const s = await Sandbox.create();
  await s.files.write('/tmp/big', 'x'.repeat(500_000));
  await s.files.read('/tmp/big');
  return await s.kill();
}`;

/** Sends a request whose body stays in memory until the returned function is called. */
function occupy(key: string, bytes: number) {
  const left = new AbortController();
  const code = `async () => api.request({ path: '/v2/sandboxes', query: { state: 'paused' } })`;
  const params = { name: 'execute_read', arguments: { code }, _meta: { filler: 'x'.repeat(bytes) } };
  const answer = fetch(gateway.mcpUrl, {
    method: 'POST',
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
    signal: left.signal,
  });
  answer.catch(() => undefined);
  return () => left.abort();
}

it("an answer is refused as busy while the key's memory is used up, and accepted later", async () => {
  const key = newKey();
  const { requestState: state } = await callRaw(gateway.mcpUrl, key, { code: READ_MUCH_AND_KILL });
  expect(state).toBeDefined();
  const leave = Array.from({ length: 4 }, () => occupy(key, 900_000));
  await expect.poll(() => reads, { timeout: 20_000 }).toBe(4);
  const answer = () =>
    callRaw(gateway.mcpUrl, key, { code: READ_MUCH_AND_KILL, state, reply: accept('approve') }).then(textOf);
  expect(await answer()).toMatch(/busy/);
  for (const go of leave) go();
  await expect.poll(answer, { timeout: 20_000 }).toMatch(/^true$/m);
}, 60_000);
