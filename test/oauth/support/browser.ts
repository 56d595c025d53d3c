// The user: a real Chromium that opens the page, pastes a key and presses a button. Debian's package, or CHROMIUM_PATH.
import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = [process.env.CHROMIUM_PATH ?? '', ...PATHS].find(path => path !== '' && existsSync(path));

/** Why no browser can be started, or undefined. */
export const browserLacks = (): string | undefined =>
  executablePath === undefined ? 'chromium is not installed (apt-get install chromium)' : undefined;

export const startBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox', '--disable-gpu'] });

export type Person = {
  readonly key: string;
  /** Default: all scopes that the page offers. */
  readonly write?: boolean;
  /** Called while the page is open. */
  readonly meanwhile?: () => Promise<unknown>;
};

/** Opens the page, decides like a user, and waits for the app's page. */
export async function approve(browser: Browser, url: string, person: Person): Promise<void> {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(url);
    await person.meanwhile?.();
    await fill(page, person);
    const here = new URL(url).origin;
    await page.getByRole('button', { name: 'Connect' }).click();
    await page.waitForURL(address => address.origin !== here);
  } finally {
    await context.close();
  }
}

async function fill(page: Page, { key, write }: Person): Promise<void> {
  if (write !== undefined) await page.getByRole('checkbox', { name: /^Change and delete/ }).setChecked(write);
  await page.getByLabel('Your E2B API key').fill(key);
}
