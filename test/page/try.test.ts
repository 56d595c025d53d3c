// The Try tab, as a user sees it.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROWS } from '../../web/try/examples.ts';
import { closeBrowser, hasChromium, openPage, run, seenByModel, startLocalPage, write } from './support/page.ts';

describe.skipIf(!hasChromium)('try', () => {
  let gateway: Awaited<ReturnType<typeof startLocalPage>>;
  beforeAll(async () => {
    gateway = await startLocalPage({
      config: { RESPONSE_RESULT_CHARS: 10_000_000, MAX_RESULT_CHARS: 10_000_000, MAX_LOG_CHARS: 1_000_000 },
    });
  });
  afterAll(async () => {
    await closeBrowser();
    await gateway.close();
  });
  const open = () => openPage(gateway.url, { path: '/#try' });

  it('runs every example of the gallery, with the expected result', async () => {
    const page = await open();
    await page.locator('.editor[data-ready="true"]').waitFor();
    for (const { title, expected, code } of ROWS) {
      await page.getByLabel('Example').selectOption({ label: title });
      await page.getByRole('button', { name: /^Run/ }).click();
      await page.locator('.output [role=status]', { hasText: 'Done' }).waitFor();
      const text = await seenByModel(page);
      for (const pattern of expected) expect(text, title).toMatch(pattern);
      await page.getByRole('button', { name: 'Result', exact: true }).click();
      if (code.includes('display(')) await page.locator('figure.file img').waitFor();
      expect(await page.locator('.timeline li').count(), title).toBeGreaterThan(0);
    }
  });

  it('runs by keyboard and shows progress while it runs; Cancel ends the run', async () => {
    const page = await open();
    await write(
      page,
      `async () => { const s = await Sandbox.create({ metadata: { job: 'cancel' } }); await new Promise(r => setTimeout(r, 50_000)); return s.sandboxId }`,
    );
    await page.getByRole('textbox', { name: 'Code' }).press('Control+Enter');
    await page.locator('.progress', { hasText: 'Sandbox.create' }).waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('Cancelled').waitFor();
    await expect
      .poll(() => gateway.entries().some(({ msg, outcome }) => msg === 'run' && outcome === 'cancelled'), {
        timeout: 30_000,
      })
      .toBe(true);
  });

  it('a shared link opens the same code, does not run it, and holds no key', async () => {
    const page = await open();
    await write(page, 'async () => "ü shared"');
    await page.getByRole('button', { name: 'Share link' }).click();
    await page.getByText(/Your key is not in it/).waitFor();
    const address = page.url();
    expect(address).not.toContain(gateway.demoKey);
    const other = await openPage(address, { path: '' });
    await other.getByText('This code came with the link').waitFor();
    await expect.poll(() => other.getByRole('textbox', { name: 'Code' }).innerText()).toContain('ü shared');
    expect(await other.locator('.output').innerText()).toContain('appears here');
  });

  it('an error is marked in its line', async () => {
    const page = await open();
    await run(page, 'async () => {\n  const a = 1;\n  return nope + a;\n}');
    expect(await page.locator('.output').innerText()).toContain('ReferenceError');
    await page.locator('.cm-lintRange-error, .cm-lint-marker-error').first().waitFor();
  });

  it('charts that a result describes are drawn; what cannot be drawn stays in the tree', async () => {
    const page = await open();
    await run(
      page,
      `async () => ({
  results: [
    { chart: { type: 'line', title: '<i>Load</i>', elements: [{ label: 'web', points: [[0, 1], [1, 3], [2, 2]] }] } },
    { chart: { type: 'bar', title: 'Jobs', elements: [{ label: 'a', value: 3 }, { label: 'b', value: 5 }] } },
    { chart: { type: 'line', title: 'Nothing', elements: 'none' } },
  ],
})`,
    );
    const charts = page.getByRole('region', { name: 'Charts' });
    expect(await charts.locator('svg').count()).toBe(2);
    expect(await charts.textContent()).toContain('<i>Load</i>');
    expect(await charts.textContent()).not.toContain('Nothing');
    expect(await page.locator('.output').textContent()).toContain('Nothing');
  });

  it('completes methods of a sandbox', async () => {
    const page = await open();
    await write(page, 'async () => {\n');
    await page.getByRole('textbox', { name: 'Code' }).press('Control+End');
    await page.keyboard.type('const box = await Sandbox.create(); box.ru');
    await page.locator('.cm-tooltip-autocomplete', { hasText: 'runCode' }).waitFor();
  });

  it('hostile HTML, SVG and terminal escapes do nothing and are shown', async () => {
    // Chromium reports what the policy blocked.
    const page = await openPage(gateway.url, { path: '/#try', mayFail: true });
    const leaked: string[] = [];
    // Not the gateway: Chromium may ask the page's own server for a picture before it reads the policy of the frame.
    const elsewhere = createServer((request, response) => {
      leaked.push(request.url ?? '');
      response.end();
    }).listen(0, '127.0.0.1');
    await once(elsewhere, 'listening');
    const leak = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
    await run(
      page,
      `async () => {
  const bad = '<script>parent.hacked = 1; document.title = "hacked"</script><img src="${leak}/img" onerror="top.hacked = 1"><link rel=stylesheet href="${leak}/css"><meta http-equiv=refresh content="0;url=${leak}/refresh"><p>html text</p>';
  display({ mimeType: 'text/html', data: bad });
  display({ mimeType: 'image/svg+xml', data: '<svg xmlns="http://www.w3.org/2000/svg"><script>top.hacked = 1</script><image href="${leak}/svg"/></svg>' });
  console.log('\\u001b[31mred\\u001b]0;title\\u0007 \\u202eturned');
  return { bad, '<img src=x onerror="top.hacked=1">': '<svg onload="top.hacked=1">' };
}`,
    );
    await page.frameLocator('figure.file iframe').getByText('html text').waitFor();
    await page.getByRole('button', { name: /Download output-\d\.svg/ }).waitFor();
    expect(await page.locator('.output svg script, .output figure svg').count()).toBe(0);
    const output = await page.locator('.output').innerText();
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of these may be shown
    expect(output).not.toMatch(/[\u001b\u0007\u202e]/);
    expect(output).toContain('<svg onload="top.hacked=1">');
    expect(await page.evaluate('[globalThis.hacked ?? null, document.title]')).toEqual([null, 'E2B code mode']);
    elsewhere.close();
    expect(leaked).toEqual([]);
  });

  it('a result of 5 MB is shown in part, and can be opened whole', async () => {
    const page = await open();
    await run(page, `async () => Array.from({ length: 50_000 }, (_, i) => ({ i, text: 'x'.repeat(80) }))`);
    await page.getByText('50,000 items').waitFor();
    expect(await page.locator('.tree .children').first().locator('> *').count()).toBeLessThan(200);
    await page.getByRole('button', { name: 'What the model sees' }).click();
    await page.getByRole('button', { name: /^Show all [4-6],\d{3},\d{3} characters$/ }).waitFor();
  });
});
