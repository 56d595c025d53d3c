// Names of files, as Linux limits them.
import { Sandbox } from 'e2b';
import { expect, it } from 'vitest';
import { startCloud } from './support/data.ts';

it('a name of 255 bytes is written, one of 256 is refused as too long, whatever its characters', async () => {
  const { local, connection } = await startCloud('virtual');
  const sandbox = await Sandbox.create(connection);
  for (const name of ['a'.repeat(255), `${'é'.repeat(127)}a`]) {
    await sandbox.files.write(`/tmp/names/${name}`, 'x');
    expect(await sandbox.files.exists(`/tmp/names/${name}`)).toBe(true);
    await expect(sandbox.files.write(`/tmp/names/${name}b`, 'x')).rejects.toThrow(/too long/);
    await expect(sandbox.files.makeDir(`/tmp/${name}b/below`)).rejects.toThrow(/too long/);
  }
  await local.close();
});
