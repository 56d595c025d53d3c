// /metrics as Prometheus reads it: what is counted, and what must not be in a label.
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../support/clients.ts';
import { newKey, startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
let page: string;
let sandboxId: string;
const key = newKey();

beforeAll(async () => {
  gateway = await startTestGateway({ env: { GUEST_CPU_MS: '1000' } });
  const client = await connect(gateway.mcpUrl, key);
  const made = await client.call(
    'execute_write',
    `async () => (await api.request({ method: 'POST', path: '/sandboxes', body: { templateID: 'base' } })).data.sandboxID`,
  );
  sandboxId = /\b(i[a-z0-9]{19,})\b/.exec(made.text)?.[1] ?? '';
  await client.call(
    'execute_read',
    `async () => (await api.request({ method: 'GET', path: '/sandboxes/${sandboxId}' })).status`,
  );
  await client.call(
    'execute_read',
    `async () => (await api.request({ method: 'GET', path: '/sandboxes/nothing-here' })).status`,
  );
  await client.call(
    'execute_write',
    `async () => (await (await Sandbox.connect('${sandboxId}')).files.write('/tmp/a', 'b')).path`,
  );
  await client.call('execute_read', 'async () => { while (true); }');
  await client.call('search', `async () => { throw new Error('mine') }`);
  await client.close();
  await fetch(`${gateway.url}/some/path-of-a-caller`);
  page = await (await fetch(`${gateway.url}/metrics`)).text();
});
afterAll(() => gateway.close());

it.each([
  /codemode_http_request_duration_seconds_count\{method="POST",route="\/mcp",status="200"\} [1-9]/,
  /codemode_http_request_duration_seconds_count\{method="GET",route="other",status="404"\} 1/,
  /codemode_run_duration_seconds_count\{tool="execute_write",engine="quickjs",outcome="completed"\} 2/,
  /codemode_upstream_call_duration_seconds_count\{operation="Sandbox.files.write",status="done"\} 1/,
  /codemode_run_duration_seconds_count\{tool="execute_read",engine="quickjs",outcome="cpu_exceeded"\} 1/,
  /codemode_run_duration_seconds_count\{tool="search",engine="quickjs",outcome="threw"\} 1/,
  /codemode_run_queue_seconds_count\{tool="execute_read",engine="quickjs"\} 3/,
  /codemode_upstream_call_duration_seconds_count\{operation="POST \/sandboxes",status="201"\} 1/,
  /codemode_upstream_call_duration_seconds_count\{operation="GET \/sandboxes\/\{sandboxID\}",status="200"\} 1/,
  /codemode_upstream_call_duration_seconds_count\{operation="GET \/sandboxes\/\{sandboxID\}",status="404"\} 1/,
  /codemode_guest_kills_total\{engine="quickjs",reason="cpu_exceeded"\} 1/,
  /codemode_workers [1-9]/,
  /codemode_queued 0/,
  /process_resident_memory_bytes \d+/,
])('counts %s', line => expect(page).toMatch(line));

it('contains no key, no id and no path that a caller wrote', () => {
  expect(page).not.toContain(key);
  expect(sandboxId).not.toBe('');
  expect(page).not.toContain(sandboxId);
  expect(page).not.toContain('nothing-here');
  expect(page).not.toContain('path-of-a-caller');
});

describe('access to /metrics', () => {
  const statusAt = (url: string, host: string) =>
    new Promise(resolve =>
      request(`${url}/metrics`, { headers: { host } }, answer => resolve(answer.resume().statusCode)).end(),
    );
  const statusFor = async (env: Record<string, string>, host: string) => {
    const other = await startTestGateway({ env: { HOST: '0.0.0.0', ALLOWED_HOSTS: 'mcp.example.com', ...env } });
    const status = await statusAt(other.url, host);
    await other.close();
    return status;
  };

  it('is open on a loopback bind under a loopback name', async () => {
    expect(await statusAt(gateway.url, 'localhost')).toBe(200);
    expect(await statusAt(gateway.url, 'evil.example')).toBe(403);
  });
  it('is off by default on other binds', async () => expect(await statusFor({}, 'mcp.example.com')).toBe(404));
  it('METRICS=true opens it, also to a scraper that uses the IP address', async () =>
    expect(await statusFor({ METRICS: 'true' }, '10.1.2.3:3000')).toBe(200));
});
