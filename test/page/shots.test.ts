// Each tab in light and dark at three widths: axe-core finds no problem, and nothing is wider than the window. With
// PAGE_SHOTS (pnpm page:shots) each is written to dist/shots.
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../support/clients.ts';
import { closeBrowser, hasChromium, openPage, run, startLocalPage } from './support/page.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SHOTS = process.env['PAGE_SHOTS'] !== undefined;
if (SHOTS) mkdirSync('dist/shots', { recursive: true });

describe.skipIf(!hasChromium)('appearance', () => {
  let gateway: Awaited<ReturnType<typeof startLocalPage>>;
  beforeAll(async () => {
    gateway = await startLocalPage();
    const agent = await connect(gateway.mcpUrl, gateway.demoKey);
    await agent.call(
      'execute_write',
      `async () => {
  for (const job of ['report', 'build']) await Sandbox.create({ timeoutMs: 900_000, metadata: { job, owner: 'ada' } });
  const [{ sandboxId }] = await Sandbox.list();
  await Sandbox.pause(sandboxId);
}`,
    );
  });
  afterAll(async () => {
    await closeBrowser();
    await gateway.close();
  });

  it.each(
    (['light', 'dark'] as const).flatMap(colorScheme =>
      (['connect', 'try', 'watch'] as const).map(tab => [tab, colorScheme] as const),
    ),
  )('%s in %s', async (tab, colorScheme) => {
    const page = await openPage(gateway.url, { path: `/#${tab}`, colorScheme, viewport: { width: 1280, height: 900 } });
    if (tab === 'try')
      await run(
        page,
        `async () => {
  const names = ['red', 'green', 'blue'];
  return Promise.all(names.map(async colour => {
    const sbx = await Sandbox.create({ timeoutMs: 60_000, envs: { COLOUR: colour } });
    const { stdout } = await sbx.commands.run('echo "$COLOUR" | sha256sum | cut -c 1-8');
    console.log(colour, 'done');
    await sbx.kill();
    return { colour, hash: stdout.trim() };
  }));
}`,
      );
    if (tab === 'watch') await page.locator('.badge.paused').waitFor();
    for (const width of [1280, 768, 360]) {
      await page.setViewportSize({ width, height: 900 });
      expect(await page.evaluate<number>('document.documentElement.scrollWidth'), `width ${width}`).toBeLessThanOrEqual(
        width,
      );
      if (SHOTS) await page.screenshot({ path: `dist/shots/${tab}-${colorScheme}-${width}.png`, fullPage: true });
    }
    // The page's policy blocks scripts, except those that the debugger evaluates.
    await page.evaluate(AXE);
    // Preloading would copy style sheets of shadow roots into style elements, which the policy forbids.
    const violations = await page.evaluate<unknown[]>(
      `axe.run({ preload: false }).then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(node => node.html.slice(0, 200)).join(' | ')))`,
    );
    expect(violations).toEqual([]);
  });
});
