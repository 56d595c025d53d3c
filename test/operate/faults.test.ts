// Errors outside every request: the process survives an unhandled promise rejection, ends on an uncaught exception, and
// logs no key with either.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { it } from 'vitest';
import { KEY_FORM, newKey } from '../support/gateway.ts';

/** Starts the gateway with `fault` in it, which happens once the process listens. */
function start(fault: string) {
  const planted = `data:text/javascript,${encodeURIComponent(`process.on('SIGUSR2', () => { ${fault} })`)}`;
  const child = spawn(process.execPath, ['--import', planted, 'dist/main.js'], {
    env: { PATH: process.env.PATH, PORT: '0', WORKERS: '2', WARM_UP: 'false', DRAIN_DELAY_MS: '0' },
  });
  const seen = { log: '' };
  child.stderr.on('data', chunk => (seen.log += chunk));
  const url = () => /"url":"([^"]+)"/.exec(seen.log)?.[1];
  return { child, seen, url };
}

it.concurrent('an unhandled rejection is logged without its key, and the process continues to serve', {
  timeout: 60_000,
}, async ({ expect }) => {
  const { child, seen, url } = start(`Promise.reject(new Error('lost ${newKey()}'))`);
  await expect.poll(url, { timeout: 30_000 }).toBeDefined();
  child.kill('SIGUSR2');
  await expect.poll(() => seen.log, { timeout: 10_000 }).toContain('unhandled promise rejection');
  expect(await (await fetch(`${url()}/healthz`)).json()).toEqual({ status: 'ok' });
  expect(seen.log).not.toMatch(KEY_FORM);
  child.kill('SIGTERM');
  expect((await once(child, 'exit'))[0]).toBe(0);
});

it.concurrent('an uncaught exception is logged without its key and ends the process', { timeout: 60_000 }, async ({
  expect,
}) => {
  const { child, seen, url } = start(`throw new Error('lost ${newKey()}')`);
  await expect.poll(url, { timeout: 30_000 }).toBeDefined();
  child.kill('SIGUSR2');
  expect((await once(child, 'exit'))[0]).toBe(1);
  expect(seen.log).toContain('uncaught exception');
  expect(seen.log).not.toMatch(KEY_FORM);
});
