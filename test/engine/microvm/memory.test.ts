// Payloads in files of a runner count as their caller's memory while they are read.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LocalCloud } from '../../../local/server.ts';
import { connect, type TestClient } from '../../support/clients.ts';
import { faulty } from '../../support/faults.ts';
import { newKey, startTestGateway, type TestGateway } from '../../support/gateway.ts';
import { startProcessCloud } from '../../support/microvm.ts';

let cloud: LocalCloud;
let gateway: TestGateway;
let client: TestClient;
let filesRead = 0;
beforeAll(async () => {
  cloud = await startProcessCloud(
    faulty(({ method, url = '' }) => {
      if (method === 'GET' && url.startsWith('/files?')) filesRead += 1;
      return undefined;
    }),
  );
  const env = { SANDBOX_ENGINE: 'e2b', E2B_API_URL: cloud.url, E2B_SANDBOX_URL: cloud.url, MEMORY_PER_KEY_MB: '4' };
  gateway = await startTestGateway({ env });
  client = await connect(gateway.mcpUrl, newKey());
});
afterAll(async () => {
  await client.close();
  await gateway.close();
  await cloud.close();
});

it('a payload that exceeds the memory left for its key is not read, and the run ends with a clear error', async () => {
  const { isError, text } = await client.call('execute_read', `async () => 'x'.repeat(3_000_000)`);
  expect(isError).toBe(true);
  expect(text).toMatch(/result_too_large.*left for this key/);
  expect(filesRead).toBe(0);
});

it('the memory is freed after reading, so several large payloads can follow each other', async () => {
  const code = `async () => { for (let i = 0; i < 4; i++) console.log(String(i)); return 'y'.repeat(600_000) }`;
  for (let i = 0; i < 4; i++) expect(await client.call('execute_read', code)).toMatchObject({ isError: false });
  const calls = `async () => {
    const codes = [];
    for (let i = 0; i < 6; i++)
      codes.push(await api.request({ method: 'GET', path: '/sandboxes', query: { metadata: 'z'.repeat(700_000) } }).then(() => 0, e => e.code));
    return codes.includes('busy');
  }`;
  const before = filesRead;
  expect((await client.call('execute_read', calls)).text).toContain('false');
  expect(filesRead - before).toBeGreaterThanOrEqual(6);
});
