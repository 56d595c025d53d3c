// Reading, writing and linking to files in a sandbox with real processes.
import { describe, expect, it } from 'vitest';
import { useProcessRun } from '../support/process-run.ts';

const { parts, command } = useProcessRun();

describe('files', () => {
  it('are read back byte for byte', async () => {
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 7) % 256));
    const files = [
      { path: '/tmp/d/a.bin', data: { base64: bytes.toString('base64') } },
      { path: '/tmp/d/ü.txt', data: 'päth' },
    ];
    await parts.run.call('Sandbox.files.write', { sandboxId: parts.sandboxId, files, single: false });
    const read = (path: string, format?: string) =>
      parts.run.call<string>('Sandbox.files.read', {
        sandboxId: parts.sandboxId,
        path,
        ...(format && { opts: { format } }),
      });
    expect(await read('/tmp/d/a.bin', 'base64')).toBe(bytes.toString('base64'));
    expect(await read('/tmp/d/ü.txt')).toBe('päth');
    const list = await parts.run.call<{ name: string }[]>('Sandbox.files.list', {
      sandboxId: parts.sandboxId,
      path: '/tmp/d',
    });
    expect(list.map(({ name }) => name).toSorted()).toEqual(['a.bin', 'ü.txt']);
  });

  it('too large to read are refused while they stream', async () => {
    await command('head -c 6000000 /dev/zero > /tmp/big');
    const refused = await parts.run.refusal('Sandbox.files.read', { sandboxId: parts.sandboxId, path: '/tmp/big' });
    expect(refused).toMatchObject({ code: 'answer_too_large', message: expect.stringMatching(/downloadUrl/) });
  });

  it('too large to write are refused before they are sent', async () => {
    const small = parts.plane.openRun({ key: parts.run.key, limits: { maxRequestBytes: 1_000 } });
    const files = [{ path: '/tmp/a', data: 'x'.repeat(1_001) }];
    const refused = await small.refusal('Sandbox.files.write', { sandboxId: parts.sandboxId, files, single: true });
    expect(refused.code).toBe('budget_exceeded');
    expect(await parts.run.call('Sandbox.files.exists', { sandboxId: parts.sandboxId, path: '/tmp/a' })).toBe(false);
  });

  it("that are missing cause the SDK's error", async () => {
    const refused = await parts.run.refusal('Sandbox.files.read', { sandboxId: parts.sandboxId, path: '/nope' });
    expect(refused).toMatchObject({
      code: 'sandbox_failed',
      message: expect.stringMatching(/^FileNotFoundError: .*nope/),
    });
    expect(parts.run.ledger.at(-1)).toMatchObject({
      label: `Sandbox.files.read ${parts.sandboxId}`,
      status: 404,
      write: false,
    });
  });
});

it('links to files work without further headers', async () => {
  const upload = await parts.run.call<string>('Sandbox.uploadUrl', { sandboxId: parts.sandboxId, path: '/tmp/up.txt' });
  const form = new FormData();
  form.append('file', new Blob(['from outside']));
  expect((await fetch(upload, { method: 'POST', body: form })).status).toBe(200);
  const link = await parts.run.call<string>('Sandbox.downloadUrl', {
    sandboxId: parts.sandboxId,
    path: '/tmp/up.txt',
    opts: { useSignatureExpiration: 60 },
  });
  expect(await (await fetch(link)).text()).toBe('from outside');
  expect(link).toContain('signature_expiration=');
  const other = link.replace(encodeURIComponent('/tmp/up.txt'), encodeURIComponent('/etc/passwd'));
  expect((await fetch(other)).ok).toBe(false);
});
