// The sign-in page in a real browser: by keyboard and with the names for screen readers, on a phone, in light and dark, not
// framed, and refusing forms from other pages.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { askFor, newPkce, queryOf, register, serveFront } from '../support/front.ts';
import { newKey } from '../support/gateway.ts';
import { browserLacks, startBrowser } from './support/browser.ts';
import { startCallback } from './support/client.ts';

const lacks = browserLacks();
if (lacks !== undefined) console.warn(`SKIPPED: the sign-in page in a browser: ${lacks}`);

let browser: Browser;

describe.skipIf(lacks !== undefined)('the sign-in page', () => {
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser?.close());

  async function pageUrl() {
    const front = await serveFront();
    const callback = await startCallback();
    onTestFinished(callback.close);
    const { body } = await register(front.url, {
      redirect_uris: [callback.url],
      client_name: 'A very Long<b>Name'.repeat(5),
    });
    const ask = askFor(body.client_id, newPkce().challenge, { redirect_uri: callback.url });
    return { ...front, callback, page: `${front.url}/authorize?${queryOf(ask)}` };
  }

  it.each(['light', 'dark'] as const)(
    'works by keyboard, on a phone, in %s, without errors in the console',
    async colorScheme => {
      const { page: url, callback, world } = await pageUrl();
      const context = await browser.newContext({ colorScheme, viewport: { width: 320, height: 640 } });
      onTestFinished(() => context.close());
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('console', message => complaints.push(message.text()));
      page.on('pageerror', error => complaints.push(String(error)));
      await page.goto(url);
      const width = await page.evaluate<number[]>('[document.documentElement.scrollWidth, window.innerWidth]');
      expect(width[0]).toBeLessThanOrEqual(width[1] ?? 0);
      expect(await page.title()).toContain('to E2B');
      expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
      expect(await page.getByRole('group', { name: 'The app may' }).getByRole('checkbox').count()).toBe(2);
      expect(await page.getByLabel('Your E2B API key').getAttribute('aria-describedby')).toContain('key-help');
      expect(await page.evaluate('document.scripts.length')).toBe(0);
      const colors = await page.evaluate<string[]>(
        "(({ color, backgroundColor }) => [color, backgroundColor])(getComputedStyle(document.querySelector('main')))",
      );
      expect(contrast(colors[0] ?? '', colors[1] ?? '')).toBeGreaterThan(7);

      world.verdict = 'refused';
      await page.getByLabel('Your E2B API key').focus();
      await page.keyboard.type(newKey());
      await page.keyboard.press('Enter');
      await page.getByRole('alert').waitFor();
      expect(await page.getByRole('alert').textContent()).toContain('does not accept this key');
      expect(await page.getByLabel('Your E2B API key').inputValue()).toBe('');
      world.verdict = 'valid';
      await page.getByLabel('Your E2B API key').focus();
      await page.keyboard.type(newKey());
      await page.keyboard.press('Enter');
      await page.waitForURL(address => address.pathname === '/callback');
      expect((await callback.answer()).has('code')).toBe(true);
      expect(complaints.filter(text => !/favicon|status of 400/.test(text))).toEqual([]);
    },
  );

  it('cannot be framed, and refuses a form from another page', async () => {
    const { page: url, url: gateway, world } = await pageUrl();
    const hostile = createServer((request, response) => {
      response.setHeader('content-type', 'text/html');
      const form = `<form method=post action="${gateway}/authorize"><input name=decision value=allow><input name=key value=x></form>`;
      response.end(
        request.url === '/frame'
          ? `<iframe src="${url}"></iframe>`
          : `${form}<script>document.forms[0].submit()</script>`,
      );
    });
    await new Promise<void>(resolve => hostile.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void hostile.close());
    const origin = `http://localhost:${(hostile.address() as AddressInfo).port}`;
    const context = await browser.newContext();
    onTestFinished(() => context.close());
    const page = await context.newPage();
    await page.goto(`${origin}/frame`);
    expect(await page.frameLocator('iframe').getByRole('button', { name: 'Connect' }).count()).toBe(0);
    const answered = page.waitForResponse(`${gateway}/authorize`);
    await page.goto(`${origin}/form`, { waitUntil: 'commit' });
    expect((await answered).status()).toBe(403);
    expect(world.keysAsked).toEqual([]);
  });
});

/** The contrast ratio of WCAG 2 for two colors as `rgb(r, g, b)`. */
function contrast(one: string, other: string): number {
  const luminance = (color: string) => {
    const [r = 0, g = 0, b = 0] = (color.match(/\d+/g) ?? []).map(text => {
      const part = Number(text) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}
