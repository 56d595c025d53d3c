// The official Python SDKs against local mode: runs the suite beside this file with pytest.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startCloud } from '../local/support/data.ts';
import { pythonWithSdks } from './environment.ts';

const found = await pythonWithSdks();
if ('reason' in found) console.warn(`skipped: ${found.reason}`);

test.skipIf('reason' in found)('the Python suite passes against local mode', async () => {
  if (!('python' in found)) return;
  const { local, connection } = await startCloud('virtual');
  const env = {
    ...process.env,
    E2B_API_URL: connection.apiUrl,
    E2B_SANDBOX_URL: connection.sandboxUrl,
    E2B_VOLUME_API_URL: connection.apiUrl,
    E2B_API_KEY: connection.apiKey,
    PYTHONDONTWRITEBYTECODE: '1',
  };
  const suite = new URL('.', import.meta.url).pathname;
  const ran = await promisify(execFile)(found.python, ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', suite], {
    env,
  }).catch((caught: { stdout: string }) => caught);
  await local.close();
  const output = ran.stdout.trim();
  console.info(output.split('\n').at(-1));
  expect(output).toMatch(/(^|\n)\d+ passed in [\d.]+s$/);
});
