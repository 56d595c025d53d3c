// E2B_SPEC_URL from outside: a new operation becomes searchable and callable, a broken description changes nothing.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { connect } from '../support/clients.ts';
import { newKey, startTestGateway } from '../support/gateway.ts';

it('new operations become callable, and a broken description leaves the last good one in use', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'spec-'));
  const path = join(folder, 'published.json');
  const document = parse(readFileSync('openapi/e2b.yaml', 'utf8'));
  document.info.version = '99.1.0';
  document.paths['/balloons'] = {
    get: { summary: 'List hot air balloons', responses: { 200: { description: 'ok' } } },
  };
  const publish = (text: string) => writeFileSync(path, text);
  publish('{ "openapi": "3.0');
  const gateway = await startTestGateway({ env: { E2B_SPEC_URL: path, SPEC_REFRESH_MS: '1000' } });
  const description = async () =>
    ((await (await fetch(`${gateway.url}/debug/endpoints`)).json()) as { description: Record<string, unknown> })
      .description;
  const client = await connect(gateway.mcpUrl, newKey());
  const ask = `async () => (await api.request({ method: 'GET', path: '/balloons' })).status`;
  const look = `async () => find('hot air balloons').map(hit => hit.operation)`;

  await expect.poll(description, { timeout: 10_000 }).toMatchObject({ error: expect.any(String) });
  expect((await client.call('execute_read', ask)).text).toContain('path_unlisted');

  publish(JSON.stringify(document));
  await expect.poll(description, { timeout: 10_000 }).toMatchObject({ version: '99.1.0' });
  expect(await description()).toMatchObject({ ageMs: expect.any(Number) });
  expect((await client.call('search', look)).text).toContain('GET /balloons');
  expect((await client.call('execute_read', ask)).text).toContain('404');

  publish('not a description');
  await expect.poll(description, { timeout: 10_000 }).toMatchObject({ version: '99.1.0', error: expect.any(String) });
  expect((await client.call('search', look)).text).toContain('GET /balloons');
  await client.close();
  await gateway.close();
  rmSync(folder, { recursive: true });
});
