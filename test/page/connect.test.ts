// The Connect tab, the key and the sign-in, as a user sees them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newRing } from '../support/front.ts';
import { newKey, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { closeBrowser, hasChromium, openPage, run, startLocalPage, tab } from './support/page.ts';

const CLIENTS: readonly (readonly [name: string, line: (url: string) => string])[] = [
  [
    'Claude Code',
    url => `claude mcp add --transport http e2b ${url}/mcp --header "Authorization: Bearer $E2B_API_KEY"`,
  ],
  ['Claude Desktop', url => `"${url}/mcp"`],
  ['Cursor', url => `"url": "${url}/mcp"`],
  ['VS Code', url => `"url": "${url}/mcp"`],
  ['Codex', url => `url = "${url}/mcp"`],
  ['Gemini CLI', url => `e2b ${url}/mcp`],
  ['Inspector', url => `--cli ${url}/mcp --transport http`],
  ['Any client', url => `${url}/mcp`],
];

describe.skipIf(!hasChromium)('connect', () => {
  let local: Awaited<ReturnType<typeof startLocalPage>>;
  let plain: TestGateway;
  beforeAll(async () => {
    local = await startLocalPage({ config: { OAUTH_KEYS: [newRing()] } });
    plain = await startTestGateway();
  });
  afterAll(async () => {
    await closeBrowser();
    await local.close();
    await plain.close();
  });

  it.each(CLIENTS)('%s gets the lines to paste, with the gateway’s address', async (name, line) => {
    const page = await openPage(plain.url);
    await page.getByRole('button', { name, exact: true }).click();
    const steps = page.getByRole('region', { name, exact: true });
    expect(await steps.locator('pre').first().innerText()).toContain(line(plain.url));
    await steps.getByRole('button', { name: 'Copy' }).first().click();
    await steps.getByText('Copied').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toContain(line(plain.url));
  });

  it.each([
    ['Cursor', /^cursor:\/\/anysphere\.cursor-deeplink\/mcp\/install\?name=e2b&config=/],
    ['VS Code', /^vscode:mcp\/install\?/],
  ])('%s has a link that installs it', async (name, form) => {
    const page = await openPage(plain.url);
    await page.getByRole('button', { name, exact: true }).click();
    const href = (await page.locator('.steps a.button').getAttribute('href')) ?? '';
    expect(href).toMatch(form);
    const config = decodeURIComponent(href.split(/config=|\?/).at(-1) ?? '');
    const server = config.startsWith('{') ? config : Buffer.from(config, 'base64').toString();
    expect(JSON.parse(server)).toMatchObject({ url: `${plain.url}/mcp` });
  });

  it.each(['claude.ai', 'ChatGPT'])('%s cannot reach a loopback address, and the page says so', async name => {
    const page = await openPage(plain.url);
    await page.getByRole('button', { name, exact: true }).click();
    expect(await page.locator('.steps').innerText()).toContain('cannot reach this computer');
    expect(await page.locator('.steps pre').count()).toBe(0);
  });

  it('on a public gateway without sign-in, clients that need OAuth show that it is off', async () => {
    const shown = await startTestGateway({
      env: { PUBLIC_URL: 'https://mcp.example.com', ALLOWED_HOSTS: '127.0.0.1' },
    });
    const page = await openPage(shown.url);
    await page.getByRole('button', { name: 'ChatGPT' }).click();
    expect(await page.locator('.steps').innerText()).toContain('OAuth only, which is off');
    expect(await page.locator('.address').innerText()).toContain('https://mcp.example.com/mcp');
    await shown.close();
  });

  it('a wrong key is refused, a good one accepted; it is kept for the tab only on request', async () => {
    const page = await openPage(plain.url, { mayFail: true });
    await page.getByLabel(/API key/).fill('e2b_wrong');
    await page.getByRole('button', { name: 'Use key' }).click();
    await page.getByText('The key was refused').waitFor();
    await page.getByRole('button', { name: 'Forget key' }).click();
    const key = newKey();
    await page.getByLabel(/API key/).fill(key);
    await page.getByRole('button', { name: 'Use key' }).click();
    await page.getByText('Accepted').waitFor();
    const stored = () =>
      page.evaluate<string>(
        'JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie, location.href])',
      );
    expect(await stored()).not.toContain(key);
    await page.getByLabel('Keep for this tab').check();
    expect(await stored()).toContain(key);
    expect(
      await page.evaluate<string>('JSON.stringify([{ ...localStorage }, document.cookie, location.href])'),
    ).not.toContain(key);
    await page.reload();
    await page.getByText('API key entered').waitFor();
    await page.getByRole('button', { name: 'Forget key' }).click();
    expect(await stored()).not.toContain(key);
  });

  it('signs in by OAuth, runs code, and the response is removed from the URL', async () => {
    const page = await openPage(local.url, { path: '/#try' });
    await page.getByRole('button', { name: 'Forget key' }).click();
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.locator('input[name=key]').fill(newKey());
    await page.getByRole('button', { name: 'Connect' }).click();
    await page.getByText('Signed in').waitFor();
    expect(page.url()).toBe(`${local.url}/#try`);
    await run(page, 'async () => (await Sandbox.list()).length');
    expect(await page.locator('.output').innerText()).toContain('Done');
    await tab(page, 'Connect');
  });
});
