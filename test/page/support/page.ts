// A gateway in local mode with its page open in Chromium. Whatever the page logs as an error, or its policy forbids, fails
// the test.
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { newKey, startTestGateway } from '../../support/gateway.ts';

const EXECUTABLE = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
export const hasChromium = existsSync(EXECUTABLE);
if (!hasChromium) console.log(`skipped: there is no Chromium at ${EXECUTABLE} (apt-get install chromium)`);

/** A timeout for a busy machine. */
const SLOW = { timeout: 60_000 };

let browser: Promise<Browser> | undefined;
const launch = () => (browser ??= chromium.launch({ executablePath: EXECUTABLE, args: ['--no-sandbox'] }));
export const closeBrowser = async () => (await browser)?.close();

type Options = BrowserContextOptions & { readonly path?: string; readonly mayFail?: boolean };

export async function openPage(url: string, { path = '/', mayFail = false, ...options }: Options = {}): Promise<Page> {
  const context = await (await launch()).newContext({ ...options, permissions: ['clipboard-read', 'clipboard-write'] });
  context.setDefaultTimeout(SLOW.timeout);
  const page = await context.newPage();
  const errors: string[] = [];
  // Playwright fills an editor with a command of Chromium that tries to set inline styles, which the policy blocks.
  page.on('console', message => {
    if (message.type() === 'error' && !message.text().startsWith('Applying inline style')) errors.push(message.text());
  });
  page.on('pageerror', error => errors.push(error.message));
  await page.goto(url + path);
  onTestFinished(async () => {
    await context.close();
    if (!mayFail) expect(errors).toEqual([]);
  });
  return page;
}

/** Opens the page with the key filled in, as `dev` does. Each gateway has its own key, so tests do not share sandboxes. */
export async function startLocalPage(options: Parameters<typeof startTestGateway>[0] = {}) {
  const demoKey = newKey();
  const gateway = await startTestGateway({ ...options, config: { demoKey, ...options.config } });
  return { ...gateway, demoKey };
}

export const tab = (page: Page, name: 'Connect' | 'Try' | 'Watch') => page.getByRole('tab', { name }).click();

/** Puts code into the editor as if it was pasted. */
export async function write(page: Page, code: string): Promise<void> {
  const editor = page.getByRole('textbox', { name: 'Code' });
  await page.locator('.editor[data-ready="true"]').waitFor();
  await editor.fill(code);
}

export async function run(page: Page, code: string): Promise<void> {
  await write(page, code);
  await page.getByRole('button', { name: /^Run/ }).click();
  await page.locator('.output [role=status]', { hasText: /Done|Failed/ }).waitFor();
}

export const seenByModel = async (page: Page): Promise<string> => {
  await page.getByRole('button', { name: 'What the model sees' }).click();
  return page.getByRole('region', { name: 'What the model sees' }).innerText();
};
