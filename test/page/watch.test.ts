// The Watch tab, and what happens to the page when the world changes under it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../support/clients.ts';
import { startTestGateway } from '../support/gateway.ts';
import { sendJson, startUpstream } from '../support/upstream.ts';
import { closeBrowser, hasChromium, openPage, run, startLocalPage } from './support/page.ts';

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

  it('a key that is revoked is said to be refused, and asked about no more', async () => {
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

  it('a gateway that restarts is said to be away, and the page goes on when it is back', async () => {
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

  it('asks for nothing while another tab is shown', async () => {
    const page = await openPage(gateway.url, { path: '/#watch' });
    await page.getByText('No sandboxes').waitFor();
    await page.getByRole('tab', { name: 'Try' }).click();
    const runs = () => gateway.entries().filter(({ msg }) => msg === 'run').length;
    const before = runs();
    await run(page, 'async () => { await new Promise(r => setTimeout(r, 6_000)); return 1 }');
    expect(runs()).toBe(before + 1);
  });
});
