// Failures before the agent's code runs: each gives a clear error that says what to do, nothing hangs, and no sandbox stays.
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LocalCloud } from '../../../local/server.ts';
import { startLocal } from '../../../local/start.ts';
import type { E2bOptions } from '../../../src/engine/microvm/engine.ts';
import { Harness } from '../../contract/harness.ts';
import { PATIENT } from '../../local/support/control.ts';
import { type Fault, faulty } from '../../support/faults.ts';
import {
  CONCURRENCY,
  CREATE,
  Faults,
  KILL,
  microvmEngine,
  rateLimit,
  startProcessCloud,
} from '../../support/microvm.ts';
import { processMachine } from '../../support/process-machine/machine.ts';

const faults = new Faults();
let cloud: LocalCloud;
beforeAll(async () => {
  cloud = await startProcessCloud(faulty(faults.hook));
});
afterAll(() => cloud.close());

const guest = new Harness();
async function withEngine(options: Partial<E2bOptions> = {}): Promise<Harness> {
  await guest.open(async () => microvmEngine(cloud, options));
  return guest;
}
const nothingLeft = () => expect.poll(() => cloud.cloud.all().length, PATIENT).toBe(0);
const creations = () => faults.seen.filter(request => CREATE.test(request)).length;

afterEach(async () => {
  faults.clear();
  await guest.close();
  await nothingLeft();
});

const status = (code: number, message: string): Fault => ({ status: code, body: { code, message } });

describe('creation refused', () => {
  it.each<[what: string, fault: Fault, code: string, message: RegExp]>([
    [
      '401',
      status(401, 'Invalid API key, please visit the docs'),
      'engine_key_refused',
      /Check the key.*Invalid API key/,
    ],
    ['403', status(403, 'team is blocked'), 'engine_key_refused', /team is blocked/],
    ['404', status(404, "template 'nope' not found"), 'engine_template_invalid', /template.*'nope' not found/i],
    ['400', status(400, 'validation error: timeout'), 'engine_unavailable', /validation error: timeout/],
  ])('%s is reported at once', async (_what, fault, code, message) => {
    faults.always(CREATE, fault);
    const engine = await withEngine();
    expect(await engine.error('async () => 1')).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(creations()).toBe(1);
  });

  it('without a key no request is sent, and no key of the environment is used', async () => {
    const engine = await withEngine({ runnerApiKey: '' });
    process.env['E2B_API_KEY'] = 'e2b_of_the_environment';
    expect(await engine.error('async () => 1')).toMatchObject({ code: 'engine_key_refused' });
    delete process.env['E2B_API_KEY'];
    expect(faults.seen).toEqual([]);
  });

  it.each<[what: string, ...trouble: Fault[]]>([
    ['the concurrency limit', CONCURRENCY, CONCURRENCY],
    ['a rate limit with Retry-After', rateLimit('1')],
    ['a rate limit without Retry-After', rateLimit(''), rateLimit('soon')],
    ['trouble upstream', status(500, 'oops'), status(503, 'no capacity'), 'reset'],
  ])('%s is waited out', async (_what, ...trouble) => {
    faults.next(CREATE, ...trouble);
    const engine = await withEngine();
    expect(await engine.value('async () => 7')).toBe(7);
    expect(creations()).toBe(trouble.length + 1);
  });

  it.each<[what: string, fault: Fault, code: string, message: RegExp]>([
    ['the concurrency limit', CONCURRENCY, 'engine_full', /concurrent sandboxes.*Kill sandboxes/],
    ['the rate limit', rateLimit('60'), 'engine_rate_limited', /rate limit.*Wait/],
    ['trouble upstream', status(500, 'oops'), 'engine_unavailable', /Nothing ran.*in a minute/],
    ['a dead connection', 'reset', 'engine_unavailable', /Nothing ran/],
    ['answers that are not HTTP', 'garbage', 'engine_unavailable', /Nothing ran/],
    ['silence', 'hang', 'engine_start_timeout', /did not start in time/],
    ['a slow boot', { delayMs: 5_000 }, 'engine_start_timeout', /did not start in time/],
  ])('%s that lasts is reported when the time is up', async (_what, fault, code, message) => {
    faults.always(CREATE, fault);
    const engine = await withEngine({ startTimeoutMs: 1_000 });
    const error = await engine.error('async () => 1');
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    faults.clear();
  });
});

describe('a creation with a lost response', () => {
  /** The sandbox is created, but the response never comes. */
  it('is found by its metadata and killed, and the run starts in another', async () => {
    let lost = 0;
    const lossy = await startProcessCloud();
    const { createServer, request } = await import('node:http');
    const proxy = createServer((req, res) => {
      const forward = request(`${lossy.url}${req.url}`, { method: req.method, headers: req.headers }, answer => {
        if (req.method === 'POST' && req.url === '/v2/sandboxes' && lost === 0) {
          lost += 1;
          req.socket.resetAndDestroy();
          return;
        }
        res.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(res);
      });
      req.pipe(forward);
    });
    await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as { port: number };
    await guest.open(async () => microvmEngine({ url: `http://127.0.0.1:${port}` }));
    expect(await guest.value('async () => 7')).toBe(7);
    expect(lost).toBe(1);
    await expect.poll(() => lossy.cloud.all().length, PATIENT).toBe(0);
    await guest.close();
    proxy.closeAllConnections();
    proxy.close();
    await lossy.close();
  });

  it('does not block a caller that disconnects; the sandbox that appears late is killed', async () => {
    faults.next(CREATE, { delayMs: 300 });
    const engine = await withEngine();
    const caller = new AbortController();
    const started = engine.run('async () => 1', { signal: caller.signal });
    await expect.poll(creations, PATIENT).toBe(1);
    caller.abort();
    expect(await started).toMatchObject({ status: 'failed', error: { code: 'cancelled' } });
    await expect.poll(() => faults.seen.filter(request => KILL.test(request)).length, PATIENT).toBe(1);
  });
});

describe('a sandbox in which the runner does not start', () => {
  it('without Node, or with an old or broken one: the error is for the operator', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'old-node-'));
    await writeFile(join(folder, 'node'), '#!/bin/sh\nexit 86\n');
    await chmod(join(folder, 'node'), 0o755);
    const broken = await mkdtemp(join(tmpdir(), 'broken-node-'));
    await writeFile(join(broken, 'node'), '#!/bin/sh\nexit 3\n', { mode: 0o755 });
    for (const [path, message] of [
      ['/nowhere', /"base" has no Node/],
      [folder, /"base" has an older one/],
      [broken, /"base" ends its Node with exit code 3/],
    ] as const) {
      const odd = await startLocal({
        port: 0,
        machine: (options, parts) =>
          processMachine({ ...options, envVars: { ...options.envVars, E2B_LOCAL_PATH: path } }, parts),
      });
      await guest.open(async () => microvmEngine(odd));
      expect(await guest.error('async () => 1')).toMatchObject({
        code: 'engine_template_invalid',
        message: expect.stringMatching(message),
      });
      await expect.poll(() => odd.cloud.all().length, PATIENT).toBe(0);
      await guest.close();
      await odd.close();
    }
    for (const made of [folder, broken]) await rm(made, { recursive: true });
  });

  it.each<[what: string, request: RegExp, fault: Fault, code: string]>([
    ['the upload fails', /^POST \/files$/, status(500, 'disk'), 'engine_unavailable'],
    ['the upload hangs', /^POST \/files$/, 'hang', 'engine_start_timeout'],
    ['the command is refused', /Process\/Start$/, status(429, 'slow down'), 'engine_unavailable'],
    ['the command never answers', /Process\/Start$/, 'hang', 'engine_start_timeout'],
    ['the sandbox is gone already', /Process\/Start$/, status(502, 'The sandbox was not found'), 'engine_unavailable'],
  ])('because %s', async (_what, request, fault, code) => {
    faults.always(request, fault);
    const engine = await withEngine({ startTimeoutMs: 1_000 });
    expect(await engine.error('async () => 1')).toMatchObject({ code, message: expect.stringMatching(/Nothing ran/) });
  });
});
