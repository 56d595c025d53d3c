// The memory limit per key: what exceeds it is refused, and the next call works.
import { expect, it } from 'vitest';
import { useGateway } from '../support/e2e.ts';

const e2e = useGateway({ env: { MEMORY_PER_KEY_MB: '4' } });

it('a result beyond the limit is refused as too large, and the next is not', async () => {
  const large = await e2e.client.call('execute_read', `async () => 'x'.repeat(3_000_000)`);
  expect(large).toMatchObject({ isError: true });
  expect(large.text).toMatch(/result_too_large.*left for this key/);
  expect(await e2e.client.call('execute_read', `async () => 'x'.repeat(1_000_000)`)).toMatchObject({ isError: false });
});

it('a block beyond the limit is left out, and the rest of the response arrives', async () => {
  const { isError, text, content } = await e2e.client.call(
    'execute_read',
    'async () => { display(new Uint8Array(1_600_000)); display(new Uint8Array(10)); return 7 }',
  );
  expect(isError).toBe(false);
  expect(text).toMatch(/block of \d+ bytes was not kept/);
  expect(content.filter(({ type }) => type === 'resource')).toHaveLength(1);
});

it('arguments beyond the limit are refused with `busy`', async () => {
  const { text } = await e2e.client.call(
    'execute_write',
    `async () => (await Promise.all(Array.from({ length: 8 }, () =>
      Sandbox.create({ metadata: { k: 'x'.repeat(900_000) } }).catch(e => e.code)))).includes('busy')`,
  );
  expect(text).toContain('true');
});

it('a background command whose output exceeds the limit ends with `busy`', async () => {
  const { text } = await e2e.client.call(
    'execute_write',
    `async () => {
      const s = await Sandbox.create();
      const p = await s.commands.run('seq 1 800000', { background: true });
      const code = await p.wait().then(() => 'ended', e => e.code);
      await s.kill();
      return code;
    }`,
  );
  expect(text).toContain('busy');
});
