// Private parts of the SDK that handle.ts depends on.
import { expect, it } from 'vitest';
import { sdkOptions } from '../../src/e2b/connection.ts';
import { openHandle } from '../../src/e2b/handle.ts';
import { WireFactory } from '../../src/e2b/wire.ts';
import { Origin } from '../../src/ground/origin.ts';
import { useProcessRun } from '../support/process-run.ts';

const { parts } = useProcessRun();

it("the SDK's private fields are where handle.ts expects them", async () => {
  const { envdAccessToken } = parts.plane.cloud.cloud.find(parts.sandboxId) ?? {};
  const options = sdkOptions(
    { api: new Origin(parts.plane.cloud.url), sandboxUrl: parts.plane.cloud.url, domain: 'e2b.test' },
    { apiKey: parts.run.key, signal: AbortSignal.timeout(10_000), timeoutMs: 10_000 },
  );
  const wires = new WireFactory();
  const asked: string[] = [];
  const wire = wires.open({
    principalId: 'someone',
    origin: parts.plane.cloud.url,
    signal: options.signal,
    maxAnswerBytes: 1_000_000,
  });
  const access = {
    sandboxId: parts.sandboxId,
    domain: undefined,
    envdVersion: '0.6.13',
    envdAccessToken,
    trafficAccessToken: undefined,
  };
  const watched: Pick<typeof wire, 'fetch'> = {
    fetch: (input, init) => {
      asked.push(new URL(input instanceof Request ? input.url : String(input)).pathname);
      return wire.fetch(input, init);
    },
  };
  const sandbox = openHandle(access, options, watched);
  expect(await sandbox.isRunning()).toBe(true);
  await sandbox.files.write('/tmp/x', 'x');
  expect(await sandbox.files.read('/tmp/x')).toBe('x');
  await sandbox.files.exists('/tmp/x');
  const handle = await sandbox.commands.run('echo hi', { background: true });
  await handle.wait();
  expect(handle).toMatchObject({ _stdout: 'hi\n', _stderr: '' });
  expect(asked).toEqual(['/health', '/files', '/files', '/filesystem.Filesystem/Stat', '/process.Process/Start']);
  await wires.close();
});
