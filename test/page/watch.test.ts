// The Watch tab, and how the page reacts when keys are revoked or the gateway is down.
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../support/clients.ts';
import { startTestGateway } from '../support/gateway.ts';
import { sendJson, startUpstream } from '../support/upstream.ts';
import { closeBrowser, hasChromium, openPage, run, startLocalPage } from './support/page.ts';

const MANY = Array.from({ length: 200 }, (_, at) => ({
  sandboxID: `i${String(at).padStart(19, '0')}`,
  templateID: 'base',
  clientID: 'client',
  envdVersion: '0.4.0',
  state: at < 150 ? 'running' : 'paused',
  startedAt: '2026-01-01T00:00:00Z',
  endAt: '2126-01-01T00:00:00Z',
  cpuCount: 2,
  memoryMB: 512,
  diskSizeMB: 1024,
  metadata: { job: `job-${String(at).padStart(4, '0')}`, note: 'x'.repeat(200) },
}));

/** The API of an account with many sandboxes: pages of 100, and metrics for the requested ids. */
function answerMany({ pathname, searchParams }: URL, response: ServerResponse): void {
  if (pathname === '/v2/sandboxes') {
    const start = Number(searchParams.get('nextToken') ?? 0);
    const next: Record<string, string> = start + 100 < MANY.length ? { 'x-next-token': String(start + 100) } : {};
    sendJson(response, MANY.slice(start, start + 100), 200, next);
    return;
  }
  const ids = searchParams.get('sandbox_ids')?.split(',') ?? [];
  const usage = {
    cpuCount: 2,
    memUsed: 1e8,
    memTotal: 5e8,
    diskUsed: 0,
    diskTotal: 1e9,
    timestamp: '2026-01-01T00:00:00Z',
  };
  sendJson(response, {
    sandboxes: Object.fromEntries(
      ids.map(id => [
        id,
        { ...usage, memCache: 0, timestampUnix: 1_767_225_600, cpuUsedPct: Number(id.slice(1)) % 100 },
      ]),
    ),
  });
}

describe.skipIf(!hasChromium)('watch', () => {
  let gateway: Awaited<ReturnType<typeof startLocalPage>>;
  beforeAll(async () => {
    gateway = await startLocalPage();
  });
  afterAll(async () => {
    await closeBrowser();
    await gateway.close();
  });

  it('a sandbox appears, is paused, resumed, extended, opened and killed', async () => {
    const page = await openPage(gateway.url, { path: '/#watch' });
    await page.getByText('No sandboxes').waitFor();
    const agent = await connect(gateway.mcpUrl, gateway.demoKey);
    await agent.call(
      'execute_write',
      `async () => (await Sandbox.create({ timeoutMs: 300_000, metadata: { job: '<b>watched</b>' } })).sandboxId`,
    );
    const row = page.locator('.sandbox', { hasText: '<b>watched</b>' });
    await row.locator('.badge.running').waitFor();
    expect(await row.innerText()).toMatch(/4 min left|5 min left/);
    expect(await row.innerText()).toMatch(/\d MB/);
    await row.getByRole('button', { name: 'Pause' }).click();
    await row.locator('.badge.paused').waitFor();
    expect(await page.locator('.behind').innerText()).toContain('Sandbox.pause(');
    await row.getByRole('button', { name: 'Resume' }).click();
    await row.locator('.badge.running').waitFor();
    await row.getByRole('button', { name: 'Extend' }).click();
    await page.getByLabel('Minutes from now').fill('45');
    expect(await page.locator('dialog').innerText()).toContain('45 * 60_000');
    await page.locator('dialog').getByRole('button', { name: 'Extend' }).click();
    await expect.poll(() => row.innerText(), { timeout: 30_000 }).toMatch(/4[45] min left/);
    await row.getByRole('button', { name: 'Port' }).click();
    await page.getByRole('button', { name: 'Get the address' }).click();
    expect(await page.locator('dialog a').getAttribute('href')).toMatch(/^https?:\/\/8080-i\w+\./);
    await page.locator('dialog').getByRole('button', { name: 'Close' }).click();
    await row.getByRole('button', { name: 'Kill' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Cancel' }).click();
    await row.waitFor();
    await row.getByRole('button', { name: 'Kill' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Kill' }).click();
    await row.waitFor({ state: 'detached' });
  });

  it('after a key is revoked, the page shows the refusal and stops asking', async () => {
    const upstream = await startUpstream();
    let revoked = false;
    upstream.answer = (_request, response) =>
      revoked ? sendJson(response, { code: 401, message: 'Invalid API key' }, 401) : sendJson(response, []);
    const other = await startLocalPage({ env: { E2B_API_URL: upstream.url } });
    const page = await openPage(other.url, { path: '/#watch' });
    await page.getByText('No sandboxes').waitFor();
    revoked = true;
    await page.getByRole('button', { name: 'Refresh' }).click();
    await page.getByText('The key was refused').first().waitFor();
    await other.close();
  });

  it('while the gateway is down the page shows it, and continues when it is back', async () => {
    const first = await startLocalPage();
    const page = await openPage(first.url, { path: '/#try', mayFail: true });
    await run(page, 'async () => "before"');
    await first.close();
    await page.getByRole('button', { name: /^Run/ }).click();
    await page.getByText('The gateway cannot be reached').waitFor();
    const { port } = new URL(first.url);
    const second = await startTestGateway({ env: { PORT: port } });
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.locator('.output [role=status]', { hasText: 'Done' }).waitFor();
    await second.close();
  });

  it('200 sandboxes are all listed with graphs and can be searched', async () => {
    const upstream = await startUpstream();
    upstream.answer = ({ url }, response) => answerMany(new URL(url, 'http://upstream'), response);
    const other = await startLocalPage({ env: { E2B_API_URL: upstream.url } });
    const page = await openPage(other.url, { path: '/#watch' });
    await page.getByText('150 running, 50 paused').waitFor();
    expect(await page.locator('.sandbox').count()).toBe(200);
    expect(await page.locator('.sandbox', { hasText: 'i0000000000000000149 ' }).innerText()).toContain('49.0 %');
    await page.getByLabel('Search').fill('job=job-0173');
    await page.getByText('1 of 200 shown').waitFor();
    expect(await page.locator('.sandbox').innerText()).toContain('i0000000000000000173');
    await page.getByLabel('Search').fill('');
    await page.getByLabel('State').selectOption('paused');
    await page.getByText('50 of 200 shown').waitFor();
    await other.close();
    await upstream.close();
  });

  it('sends no requests while another tab is shown', async () => {
    const page = await openPage(gateway.url, { path: '/#watch' });
    await page.getByText('No sandboxes').waitFor();
    await page.getByRole('tab', { name: 'Try' }).click();
    const runs = () => gateway.entries().filter(({ msg }) => msg === 'run').length;
    const before = runs();
    await run(page, 'async () => { await new Promise(r => setTimeout(r, 6_000)); return 1 }');
    expect(runs()).toBe(before + 1);
  });
});
