// A run that asks for approval: the question is shown and answered on the page.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closeBrowser, hasChromium, openPage, seenByModel, startLocalPage, write } from './support/page.ts';

describe.skipIf(!hasChromium)('approvals', () => {
  let gateway: Awaited<ReturnType<typeof startLocalPage>>;
  beforeAll(async () => {
    gateway = await startLocalPage({ env: { APPROVALS: 'ends' } });
  });
  afterAll(async () => {
    await closeBrowser();
    await gateway.close();
  });

  const code = `async () => {
    const boxes = [await Sandbox.create(), await Sandbox.create({ metadata: { note: '<b>hi' } })];
    return (await Promise.all(boxes.map(b => b.kill().catch(e => e.code)))).join(' and ');
  }`;

  it.each([
    ['Approve', 'true and true'],
    ['Refuse', 'approval_refused and approval_refused'],
    ['Approve only what is ticked below', 'approval_refused and true'],
    ['Escape', 'approval_refused and approval_refused'],
  ])('%s: the run continues with %s', async (choice, result) => {
    const page = await openPage(gateway.url, { path: '/#try' });
    await write(page, code);
    await page.getByRole('button', { name: /^Run/ }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('end or delete 2 sandboxes').waitFor();
    expect(await dialog.innerText()).toContain('note=<b>hi');
    if (choice === 'Escape') await page.keyboard.press('Escape');
    else {
      await dialog.getByRole('checkbox').nth(1).check();
      await dialog.getByRole('button', { name: choice, exact: true }).click();
    }
    await page.locator('.output [role=status]', { hasText: 'Done' }).waitFor();
    expect(await seenByModel(page)).toContain(result);
  });
});
