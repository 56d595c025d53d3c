// What a hostile guest may try through `Sandbox`: only the caller's own sandboxes are reached, and only by the rules.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { SANDBOX_METHODS } from '../../src/broker/e2b/sandbox.ts';
import { loadDescription } from '../../src/spec/load.ts';
import { startDataPlane, type TestDataPlane } from '../support/data-plane.ts';
import { fuzzRounds } from '../support/fuzz.ts';
import { newKey } from '../support/gateway.ts';
import { argsOf, type Made, OF_A_HANDLE, READS, WITHOUT_ID } from '../support/sandbox-methods.ts';

let plane: TestDataPlane;
beforeAll(async () => {
  plane = await startDataPlane();
});
afterAll(() => plane.close());

describe('every method', () => {
  it('is in the description with its mode, and nothing else is', async () => {
    const { capabilities } = await loadDescription('openapi/e2b.yaml');
    // The prelude builds these two from the others.
    const described = capabilities
      .map(({ id }) => id)
      .filter(id => !['Sandbox.getHost', 'Sandbox.waitForPort'].includes(id));
    expect(described.toSorted()).toEqual(SANDBOX_METHODS.filter(id => !OF_A_HANDLE.includes(id)).toSorted());
    for (const { id, mode } of capabilities) {
      if (described.includes(id)) expect(mode, id).toBe(READS.includes(id) ? 'read' : 'write');
    }
  });

  it.each(SANDBOX_METHODS.filter(id => !READS.includes(id)))(
    '%s is refused in execute_read before anything is sent',
    async id => {
      const run = plane.openRun({ mode: 'read' });
      const before = plane.requests.length;
      const refused = await run.refusal(id, argsOf(id, 'i0123456789abcdefghij'));
      expect(refused.code).toBe('method_refused');
      expect(refused.message).toContain('execute_write');
      expect(plane.requests.length).toBe(before);
      expect(run.ledger[0]).toMatchObject({ status: 'refused', write: true });
    },
  );

  it('answers any arguments with an error that is not internal', async () => {
    const run = plane.openRun({ limits: { maxCalls: 100_000 } });
    const before = plane.requests.length;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...SANDBOX_METHODS), fc.jsonValue(), async (id, args) => {
        const answered = await run.reply(id, args);
        if (answered.ok) return; // {} is all Sandbox.create and the lists need
        expect(['request_invalid', 'sandbox_failed']).toContain(answered.error.code);
      }),
      { numRuns: fuzzRounds(100) },
    );
    expect(run.faults).toEqual([]);
    expect(plane.requests.slice(before).filter(line => !/ \/(v2\/sandboxes|snapshots)$/.test(line))).toEqual([]);
  });

  const ids = ['', '..', 'a/b', 'a.b', 'x@evil.example', 'i0:80', 'I0', 'a-b-c', 'a%2fb', 'a\n', ' ', 'a?b', '-a', 'é'];
  it.each(ids.map(id => [JSON.stringify(id), id]))('takes no sandbox id %s', async (_shown, sandboxId) => {
    const run = plane.openRun();
    const before = plane.requests.length;
    for (const id of SANDBOX_METHODS.filter(id => !WITHOUT_ID.includes(id) && id !== 'Sandbox.kill')) {
      expect((await run.refusal(id, argsOf(id, sandboxId))).code, id).toBe('request_invalid');
    }
    // The SDK returns false for a missing sandbox.
    expect(await run.call('Sandbox.kill', { sandboxId })).toBe(false);
    expect(plane.requests.length).toBe(before);
  });

  it('refuses arguments with too many values by their number', async () => {
    const run = plane.openRun();
    const vast = { state: Array(300_000).fill(0) };
    for (const args of [{ opts: { query: vast } }, { opts: vast }, vast, Object.fromEntries(vast.state.entries())])
      expect(await run.refusal('Sandbox.list', args)).toMatchObject({
        code: 'request_invalid',
        message: expect.stringMatching(/more than 5000 values/),
      });
  });

  it.each([
    ['Sandbox.create', { opts: { autoPause: true } }, `"autoPause" (it is lifecycle: { onTimeout: 'pause' })`],
    ['Sandbox.list', { opts: { state: ['paused'] } }, '"state" (it is query: { state: […] })'],
    ['Sandbox.list', { opts: { metadata: { a: 'b' } } }, '"metadata" (it is query: { metadata: { … } })'],
    ['Sandbox.runCode', { code: '1', opts: { contextId: 'c' } }, '"contextId" (it is context, '],
    ['Sandbox.files.read', { path: '/a', opts: { metadata: {} } }, '"metadata"; there are:'],
  ])('%s: the error for an unknown option names the right one: %j', async (id, args, message) => {
    const sandboxId = 'i0123456789abcdefghij';
    const refused = await plane.openRun().refusal(id, { ...(!WITHOUT_ID.includes(id) && { sandboxId }), ...args });
    expect(refused.message).toContain(message);
  });

  it('refuses timeouts that look like seconds', async () => {
    const run = plane.openRun();
    const { sandboxId } = await run.call<Made>('Sandbox.create', { opts: { timeoutMs: 15_000 } });
    for (const timeoutMs of [60, 300, 1800, 3600, 14_400])
      for (const [id, args] of [
        ['Sandbox.create', { opts: { timeoutMs } }],
        ['Sandbox.connect', { sandboxId, opts: { timeoutMs } }],
        ['Sandbox.fork', { sandboxId, opts: { timeoutMs } }],
        ['Sandbox.setTimeout', { sandboxId, timeoutMs }],
      ] as const) {
        const refused = await run.refusal(id, args);
        expect(refused.code, id).toBe('request_invalid');
        expect(refused.message, id).toContain(
          `${timeoutMs} looks like seconds: ${timeoutMs} s is ${timeoutMs * 1_000}`,
        );
      }
    for (const [id, args] of [
      ['Sandbox.commands.run', { cmd: 'true' }],
      ['Sandbox.commands.connect', { pid: 1 }],
      ['Sandbox.commands.wait', { pid: 1 }],
      ['Sandbox.runCode', { code: '1' }],
      ['Sandbox.fetch', { port: 80, path: '/' }],
    ] as const) {
      const refused = await run.refusal(id, { sandboxId, ...args, opts: { timeoutMs: 60 } });
      expect(refused.code, id).toBe('request_invalid');
      expect(refused.message, id).toContain('timeoutMs: is in milliseconds, and 60 looks like seconds');
    }
    for (const id of SANDBOX_METHODS.filter(id => !/output|disconnect/.test(id))) {
      const refused = await run.refusal(id, { ...argsOf(id, sandboxId), opts: { requestTimeoutMs: 30 } });
      expect(refused.message, id).toContain('requestTimeoutMs: is in milliseconds, and 30 looks like seconds');
    }
    // The time limit of a command may be short.
    await run.call('Sandbox.commands.run', { sandboxId, cmd: 'true', opts: { timeoutMs: 999 } });
  });

  it('does not find sandboxes of another team', async () => {
    const { sandboxId } = await plane.openRun().call<Made>('Sandbox.create', {});
    const stranger = plane.openRun({ limits: { maxCalls: 1_000 } });
    const before = plane.requests.length;
    for (const id of SANDBOX_METHODS.filter(id => !WITHOUT_ID.includes(id) && !OF_A_HANDLE.includes(id))) {
      const answered = await stranger.reply(id, argsOf(id, sandboxId));
      if (answered.ok) expect(answered.json, id).toMatch(/^(?:false|null)$/);
      else expect(answered.error.message, id).toContain('SandboxNotFoundError');
    }
    const reached = plane.requests.slice(before).filter(line => !/ \/(?:v\d\/)?sandboxes\//.test(line));
    expect(reached).toEqual([]);
  });

  it("never returns a sandbox's tokens", async () => {
    const run = plane.openRun({ limits: { maxCalls: 1_000 } });
    const { sandboxId } = await run.call<Made>('Sandbox.create', { opts: { network: { allowPublicTraffic: false } } });
    const { envdAccessToken, trafficAccessToken } = plane.cloud.cloud.find(sandboxId) ?? {};
    expect(envdAccessToken).toBeTruthy();
    expect(trafficAccessToken).toBeTruthy();
    const answers: string[] = [];
    const order = SANDBOX_METHODS.filter(id => id !== 'Sandbox.kill' && id !== 'Sandbox.pause');
    for (const id of order) answers.push(JSON.stringify(await run.reply(id, argsOf(id, sandboxId))));
    const all = answers.join('\n') + JSON.stringify(run.ledger);
    expect(all).not.toContain(envdAccessToken);
    expect(all).not.toContain(trafficAccessToken);
    expect(all).not.toContain(run.key);
  });
});

describe('connecting in execute_read', () => {
  it('neither resumes nor extends the sandbox, whatever is read', async () => {
    const key = newKey();
    const writer = plane.openRun({ key });
    const { sandboxId } = await writer.call<Made>('Sandbox.create', { opts: { timeoutMs: 30_000 } });
    const endAt = async () =>
      (await writer.call<{ endAt: string; state: string }>('Sandbox.getInfo', { sandboxId })).endAt;
    const before = await endAt();
    const reads = READS.filter(id => !WITHOUT_ID.includes(id));
    const reader = plane.openRun({ key, mode: 'read' });
    for (const id of reads) await reader.reply(id, argsOf(id, sandboxId));
    expect(await endAt()).toBe(before);

    await writer.call('Sandbox.pause', { sandboxId });
    const later = plane.openRun({ key, mode: 'read' });
    const from = plane.requests.length;
    for (const id of reads) {
      const answered = await later.reply(id, {
        ...argsOf(id, sandboxId),
        ...(id === 'Sandbox.connect' && { opts: { timeoutMs: 1_000_000 } }),
      });
      if (!answered.ok)
        expect(answered.error).toMatchObject({
          code: 'sandbox_not_running',
          message: expect.stringMatching(/Sandbox\.connect/),
        });
    }
    expect(await later.call('Sandbox.isRunning', { sandboxId })).toBe(false);
    // No request went to the sandbox itself: any traffic may resume one that has autoResume.
    expect(plane.requests.slice(from).every(line => line.startsWith('GET /sandboxes/'))).toBe(true);
    expect(await writer.call('Sandbox.getInfo', { sandboxId })).toMatchObject({ state: 'paused' });
  });
});

describe('the environment', () => {
  beforeEach(() => vi.unstubAllEnvs());
  afterEach(() => vi.unstubAllEnvs());

  it('of the process is not read by the SDK', async () => {
    let visits = 0;
    const trap = createServer((_req, res) => {
      visits++;
      res.end('{}');
    });
    await new Promise<void>(resolve => trap.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(trap.address() as AddressInfo).port}`;
    for (const name of ['E2B_API_URL', 'E2B_SANDBOX_URL']) vi.stubEnv(name, url);
    vi.stubEnv('E2B_DOMAIN', 'evil.example');
    vi.stubEnv('E2B_API_KEY', newKey());
    vi.stubEnv('E2B_DEBUG', 'true');
    const own = await startDataPlane();
    const run = own.openRun();
    const { sandboxId } = await run.call<Made>('Sandbox.create', {});
    expect(sandboxId).toMatch(/^i[a-z0-9]{20}$/);
    await run.call('Sandbox.files.write', { sandboxId, files: [{ path: '/tmp/a', data: 'x' }], single: true });
    expect(await run.call('Sandbox.files.read', { sandboxId, path: '/tmp/a' })).toBe('x');
    expect(await run.call('Sandbox.kill', { sandboxId })).toBe(true);
    await own.close();

    // Without a common URL each sandbox has its own, as a subdomain of the domain that the API returns.
    const apart = await startDataPlane({ connection: { sandboxUrl: undefined, domain: 'sandboxes.invalid' } });
    const apartRun = apart.openRun();
    const made = await apartRun.call<Made & { domain: string }>('Sandbox.create', {});
    expect(made.domain).toMatch(/^localhost:\d+$/);
    const link = await apartRun.call<string>('Sandbox.downloadUrl', { sandboxId: made.sandboxId, path: '/a' });
    expect(new URL(link).host).toBe(`49983-${made.sandboxId}.${made.domain}`);
    await apart.close();
    expect(visits).toBe(0);
    trap.close();
  });
});
