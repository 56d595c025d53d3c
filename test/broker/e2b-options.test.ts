// Options take effect or are refused, but are never ignored.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startDataPlane, type TestDataPlane } from '../support/data-plane.ts';
import { type Fault, faulty } from '../support/faults.ts';

let silent: RegExp | undefined;
let fault: Fault;
let plane: TestDataPlane;
beforeAll(async () => {
  const onRequest = ({ method = '', url = '' }: { method?: string | undefined; url?: string | undefined }) =>
    silent?.test(`${method} ${url}`) ? fault : undefined;
  plane = await startDataPlane({ cloud: faulty(onRequest) });
});
afterAll(() => plane.close());

let run: ReturnType<TestDataPlane['openRun']>;
let sandboxId: string;
beforeEach(async () => {
  silent = undefined;
  fault = 'hang';
  run = plane.openRun();
  ({ sandboxId } = await run.call<{ sandboxId: string }>('Sandbox.create', {}));
});

describe('requestTimeoutMs', () => {
  it.each([
    ['Sandbox.getInfo', {}, /^GET \/sandboxes\//],
    ['Sandbox.list', undefined, /^GET \/v2\/sandboxes/],
    ['Sandbox.create', undefined, /^POST \/v2\/sandboxes/],
    ['Sandbox.kill', {}, /^DELETE /],
    ['Sandbox.files.exists', { path: '/tmp' }, /Filesystem\/Stat$/],
    ['Sandbox.files.read', { path: '/tmp/x' }, /^GET \/files/],
    ['Sandbox.commands.run', { cmd: 'true' }, /Process\/Start$/],
    ['Sandbox.runCode', { code: '1' }, /\/execute$/],
    ['Sandbox.createCodeContext', {}, /\/contexts$/],
    ['Sandbox.fetch', { port: 8000, path: '/slow' }, /\/slow$/],
  ])('ends %s if there is no response', async (method, args, unanswered) => {
    silent = unanswered;
    const opts = { requestTimeoutMs: 100.5 };
    const refused = await run.refusal(method, { ...(args !== undefined && { sandboxId, ...args }), opts });
    expect(refused).toMatchObject({ code: 'sandbox_failed', message: expect.stringMatching(/^TimeoutError: /) });
  });

  it('includes the request that gets access to the sandbox', async () => {
    silent = /^GET \/sandboxes\//;
    const later = plane.openRun({ key: run.key });
    const asked = { sandboxId, path: '/tmp', opts: { requestTimeoutMs: 100 } };
    expect((await later.refusal('Sandbox.files.exists', asked)).message).toMatch(/^TimeoutError: .*100 ms/);
  });

  it('of 0 means no limit of its own', async () => {
    expect(await run.call('Sandbox.getInfo', { sandboxId, opts: { requestTimeoutMs: 0 } })).toMatchObject({
      sandboxId,
    });
  });

  it('does not limit the duration of commands and code', async () => {
    const opts = { requestTimeoutMs: 400 };
    const ran = await run.call('Sandbox.commands.run', { sandboxId, cmd: 'sleep 1; echo done', opts });
    expect(ran).toMatchObject({ exitCode: 0, stdout: 'done\n' });
  });
});

it('a sandbox whose creation took too long for the caller is killed', async () => {
  const deleted = () => plane.requests.filter(line => line.startsWith('DELETE /sandboxes/')).length;
  const before = deleted();
  const { key } = plane.openRun();
  silent = /^POST \/v2\/sandboxes/;
  fault = { delayMs: 300 };
  const asked = plane.openRun({ key });
  expect(await asked.refusal('Sandbox.create', { opts: { requestTimeoutMs: 100 } })).toMatchObject({
    message: expect.stringMatching(/^TimeoutError/),
  });
  expect(asked.ledger).toMatchObject([{ status: 'unknown', write: true }]);
  await expect.poll(deleted).toBe(before + 1);
  expect(await plane.openRun({ key }).call('Sandbox.list', {})).toMatchObject({ items: [] });
});

it.each([
  ['Sandbox.fetch', { port: 8000, path: '/', opts: { redirect: 'error' } }, /redirect: is "follow" or "manual"/],
  ['Sandbox.files.read', { path: '/tmp/x', opts: { gzip: true } }, /unknown option "gzip" \(it is not needed\)/],
])('%s refuses options that would have no effect', async (method, args, why) => {
  expect(await run.refusal(method, { sandboxId, ...args })).toMatchObject({ code: 'request_invalid', message: why });
});

it('Sandbox.create refuses secure: false', async () => {
  const refused = await run.refusal('Sandbox.create', { opts: { secure: false } });
  expect(refused).toMatchObject({
    code: 'request_invalid',
    message: expect.stringMatching(/secure: is always true here/),
  });
  expect(await run.call('Sandbox.create', { opts: { secure: true } })).toMatchObject({
    sandboxId: expect.stringMatching(/^i/),
  });
});
