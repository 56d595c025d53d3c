// The gateway with SANDBOX_ENGINE=e2b, as an agent sees it: the same tools, and none of the gateway's own sandboxes.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LocalCloud } from '../../../local/server.ts';
import { PATIENT } from '../../local/support/control.ts';
import { connect, type TestClient } from '../../support/clients.ts';
import { faulty } from '../../support/faults.ts';
import { newKey, startTestGateway, type TestGateway } from '../../support/gateway.ts';
import { startProcessCloud } from '../../support/microvm.ts';

let cloud: LocalCloud;
let gateway: TestGateway;
let client: TestClient;
const created: string[] = [];
beforeAll(async () => {
  cloud = await startProcessCloud(
    faulty(req => {
      if (req.method === 'POST' && req.url === '/v2/sandboxes') created.push(String(req.headers['user-agent']));
      return undefined;
    }),
  );
  const env = { SANDBOX_ENGINE: 'e2b', E2B_API_URL: cloud.url, E2B_SANDBOX_URL: cloud.url, RUN_TIMEOUT_MS: '10000' };
  gateway = await startTestGateway({ env });
  client = await connect(gateway.mcpUrl, newKey());
});
afterAll(async () => {
  await client.close();
  await gateway.close();
  expect(cloud.cloud.all()).toEqual([]);
  await cloud.close();
});

it('search needs no sandbox', async () => {
  const found = await client.call('search', `async () => find('create a sandbox', { limit: 1 }).map(h => h.operation)`);
  expect(found).toMatchObject({ isError: false });
  expect(created).toEqual([]);
});

it('code can list and use the sandboxes of its user, but not the one it runs in', async () => {
  const result = await client.call(
    'execute_write',
    `async () => {
      const made = await api.request({ method: 'POST', path: '/v2/sandboxes', body: { templateID: 'base', timeout: 60 } });
      const v2 = await api.request({ method: 'GET', path: '/v2/sandboxes' });
      const v1 = await api.request({ method: 'GET', path: '/sandboxes' });
      const seen = [v1, v2].map(({ data }) => data.map(s => s.sandboxID === made.data.sandboxID));
      const gone = await api.request({ method: 'DELETE', path: '/sandboxes/' + made.data.sandboxID });
      return { seen, total: v2.headers['x-total-running'], status: gone.status };
    }`,
  );
  expect(result.text).toMatch(
    /"seen":\s*\[\s*\[\s*true\s*\],\s*\[\s*true\s*\]\s*\],\s*"total":\s*"1",\s*"status":\s*204/,
  );
});

it('a call that names a running sandbox of the gateway is refused', async () => {
  await expect.poll(() => cloud.cloud.all().length, PATIENT).toBe(0);
  const waiting = client.call('execute_read', 'async () => new Promise(r => setTimeout(r, 1500))');
  await expect.poll(() => cloud.cloud.all().length, PATIENT).toBe(1);
  const own = cloud.cloud.all()[0]?.sandboxId ?? '';
  const opened = await client.call(
    'execute_write',
    `async () => api.request({ method: 'PUT', path: '/sandboxes/${own}/network', body: { allowOut: ['0.0.0.0/0'] } })`,
  );
  expect(opened).toMatchObject({ isError: true });
  expect(opened.text).toContain('belongs to the gateway');
  await waiting;
});

it('the debug endpoint names the engine that runs the code', async () => {
  const debug = (await (await fetch(`${gateway.url}/debug/endpoints`)).json()) as { server?: unknown };
  expect(JSON.stringify(debug)).toContain('e2b (search: quickjs)');
});
