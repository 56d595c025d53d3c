// What a hostile guest may try through `Sandbox`: nothing but the caller's own sandboxes, by the rules, is ever reached.
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { SANDBOX_METHODS } from '../../src/broker/e2b/sandbox.ts';
import { loadDescription } from '../../src/spec/load.ts';
import { startDataPlane, type TestDataPlane } from '../support/data-plane.ts';
import { newKey } from '../support/gateway.ts';

type Made = { sandboxId: string };

/** Of each method: arguments that are right, without the id. */
const ARGS: Readonly<Record<string, object>> = {
  'Sandbox.create': {},
  'Sandbox.setTimeout': { timeoutMs: 60_000 },
  'Sandbox.updateNetwork': { network: {} },
  'Sandbox.deleteSnapshot': { snapshotId: 'snap' },
  'Sandbox.commands.run': { cmd: 'true' },
  'Sandbox.commands.connect': { pid: 1 },
  'Sandbox.commands.wait': { pid: 1 },
  'Sandbox.commands.output': { pid: 1 },
  'Sandbox.commands.disconnect': { pid: 1 },
  'Sandbox.commands.kill': { pid: 1 },
  'Sandbox.commands.sendStdin': { pid: 1, data: 'x' },
  'Sandbox.commands.closeStdin': { pid: 1 },
  'Sandbox.files.read': { path: '/etc/hostname' },
  'Sandbox.files.write': { files: [{ path: '/tmp/a', data: 'x' }], single: true },
  'Sandbox.files.list': { path: '/tmp' },
  'Sandbox.files.exists': { path: '/tmp' },
  'Sandbox.files.getInfo': { path: '/tmp' },
  'Sandbox.files.makeDir': { path: '/tmp/d' },
  'Sandbox.files.rename': { oldPath: '/tmp/a', newPath: '/tmp/b' },
  'Sandbox.files.remove': { path: '/tmp/a' },
  'Sandbox.runCode': { code: '1' },
  'Sandbox.removeCodeContext': { context: 'c' },
  'Sandbox.restartCodeContext': { context: 'c' },
  'Sandbox.fetch': { port: 80, path: '/' },
  'Sandbox.downloadUrl': { path: '/tmp/a' },
};
const READS = [
  'Sandbox.connect',
  'Sandbox.list',
  'Sandbox.listSnapshots',
  'Sandbox.getInfo',
  'Sandbox.getMetrics',
  'Sandbox.isRunning',
  'Sandbox.downloadUrl',
  'Sandbox.commands.list',
  'Sandbox.files.read',
  'Sandbox.files.list',
  'Sandbox.files.exists',
  'Sandbox.files.getInfo',
  'Sandbox.listCodeContexts',
];
const WITHOUT_ID = ['Sandbox.create', 'Sandbox.list', 'Sandbox.listSnapshots', 'Sandbox.deleteSnapshot'];
/** The guest's side of a command's handle; described with commands.run. */
const OF_A_HANDLE = ['Sandbox.commands.wait', 'Sandbox.commands.output', 'Sandbox.commands.disconnect'];

const argsOf = (id: string, sandboxId: string) => ({
  ...(!WITHOUT_ID.includes(id) && { sandboxId }),
  ...ARGS[id],
});

let plane: TestDataPlane;
beforeAll(async () => {
  plane = await startDataPlane();
});
afterAll(() => plane.close());

describe('every method', () => {
  it('is described to search as it is, and the other way round', async () => {
    const { capabilities } = await loadDescription('openapi/e2b.yaml');
    // These two are made in the guest, of the others.
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

  it('takes no arguments but its own, and never fails inside', async () => {
    const run = plane.openRun({ limits: { maxCalls: 100_000 } });
    const before = plane.requests.length;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...SANDBOX_METHODS), fc.jsonValue(), async (id, args) => {
        const answered = await run.reply(id, args);
        if (answered.ok) return; // {} is all Sandbox.create and the lists need
        expect(['request_invalid', 'sandbox_failed']).toContain(answered.error.code);
      }),
      { numRuns: 300 },
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
    // The SDK answers false for what is not there.
    expect(await run.call('Sandbox.kill', { sandboxId })).toBe(false);
    expect(plane.requests.length).toBe(before);
  });

  it('looks no further at arguments without end', async () => {
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
  ])('%s: an unknown option is answered with the right name: %j', async (id, args, message) => {
    const sandboxId = 'i0123456789abcdefghij';
    const refused = await plane.openRun().refusal(id, { ...(!WITHOUT_ID.includes(id) && { sandboxId }), ...args });
    expect(refused.message).toContain(message);
  });

  it('takes a life in milliseconds, and no seconds for them', async () => {
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
    for (const id of ['Sandbox.commands.run', 'Sandbox.runCode'] as const) {
      const refused = await run.refusal(id, { sandboxId, cmd: 'true', code: '1', opts: { timeoutMs: 60 } });
      expect(refused.code, id).toBe('request_invalid');
    }
    // A command's own time may be short.
    await run.call('Sandbox.commands.run', { sandboxId, cmd: 'true', opts: { timeoutMs: 999 } });
  });

  it("finds no sandbox of another team's", async () => {
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

  it('gives out no token of a sandbox', async () => {
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

describe('attaching in execute_read', () => {
  it('neither resumes nor extends, whatever is read', async () => {
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
    // Not one request went to the sandbox itself: traffic alone may wake one that resumes by itself.
    expect(plane.requests.slice(from).every(line => line.startsWith('GET /sandboxes/'))).toBe(true);
    expect(await writer.call('Sandbox.getInfo', { sandboxId })).toMatchObject({ state: 'paused' });
  });
});

describe('a sandbox whose own programs answer in the place of its services', () => {
  const servers: { close(): void; closeAllConnections(): void }[] = [];
  const serve = async (listener: RequestListener): Promise<string> => {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  let hostile: TestDataPlane | undefined;
  afterEach(async () => {
    await hostile?.close();
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });
  const inside = SANDBOX_METHODS.filter(id => /\.(?:files|commands)\.|Code|fetch|isRunning/.test(id)).filter(
    id => !OF_A_HANDLE.includes(id),
  );

  it.each([301, 302, 303, 307, 308])('cannot send the gateway elsewhere with a %i', async status => {
    let visits = 0;
    const victim = await serve((_req, res) => {
      visits++;
      res.end('the secret of another server');
    });
    const sandboxUrl = await serve((req, res) => {
      req.resume();
      res.writeHead(status, { location: `${victim}/secret` }).end();
    });
    hostile = await startDataPlane({ connection: { sandboxUrl } });
    const run = hostile.openRun({ limits: { maxCalls: 1_000 }, wallMs: 20_000 });
    const { sandboxId } = await run.call<Made>('Sandbox.create', {});
    for (const id of inside) {
      const answered = await run.reply(id, argsOf(id, sandboxId));
      expect(JSON.stringify(answered), id).not.toContain('secret of another');
    }
    expect(visits).toBe(0);
    expect(run.faults).toEqual([]);
  });

  it('cannot fill the gateway with answers that never end', async () => {
    let open = 0;
    const megabyte = Buffer.alloc(1_000_000, 'x');
    const sandboxUrl = await serve((req, res) => {
      req.resume();
      open++;
      res.once('close', () => open--);
      const types: Record<string, string> = { Start: 'application/connect+json', Connect: 'application/connect+json' };
      res.writeHead(200, { 'content-type': types[req.url?.split('/').at(-1) ?? ''] ?? 'application/json' });
      const more = () => {
        while (!res.destroyed && res.write(megabyte)) {}
      };
      res.on('drain', more);
      more();
    });
    hostile = await startDataPlane({ connection: { sandboxUrl } });
    const run = hostile.openRun({ limits: { maxCalls: 1_000, maxAnswerBytes: 2_000_000 } });
    const { sandboxId } = await run.call<Made>('Sandbox.create', {});
    for (const id of inside.filter(id => id !== 'Sandbox.isRunning')) {
      const answered = await run.reply(id, argsOf(id, sandboxId));
      expect(answered.ok, id).toBe(false);
    }
    run.end();
    await expect.poll(() => open).toBe(0);
  }, 20_000);

  it('cannot make the gateway decode a giant message at once', async () => {
    const sandboxUrl = await serve((req, res) => {
      req.resume();
      res.writeHead(200, { 'content-type': 'application/connect+json' });
      const start = Buffer.from('{"event":{"start":{"pid":7}}}');
      const message = (body: Buffer, length = body.length) =>
        Buffer.concat([
          Buffer.from([0, length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255]),
          body,
        ]);
      res.write(message(start));
      res.write(message(Buffer.alloc(10), 1_000_001));
    });
    hostile = await startDataPlane({ connection: { sandboxUrl } });
    const run = hostile.openRun();
    const { sandboxId } = await run.call<Made>('Sandbox.create', {});
    const refused = await run.refusal('Sandbox.commands.run', { sandboxId, cmd: 'true' });
    expect(refused).toMatchObject({ code: 'answer_too_large', message: expect.stringMatching(/1000000 bytes/) });
  });

  it.each([
    ['nonsense', 200, 'not json'],
    ['other JSON', 200, '[[1,{"entries":7}]]'],
    ['an error page', 500, '<html>'],
    ['nothing', 204, ''],
    ['an error of its own making', 400, JSON.stringify({ code: 'not_found', message: 'x'.repeat(50_000) })],
  ])('is answered for with a plain error: %s', async (_title, status, body) => {
    const sandboxUrl = await serve((req, res) => {
      req.resume();
      res.writeHead(status, { 'content-type': 'application/json' }).end(status === 204 ? undefined : body);
    });
    hostile = await startDataPlane({ connection: { sandboxUrl } });
    const run = hostile.openRun({ limits: { maxCalls: 1_000 }, wallMs: 20_000 });
    const { sandboxId } = await run.call<Made>('Sandbox.create', {});
    for (const id of inside) {
      const answered = await run.reply(id, argsOf(id, sandboxId));
      if (!answered.ok) {
        expect(answered.error.code, `${id} ${answered.error.message}`).toBe('sandbox_failed');
        expect(answered.error.message.length).toBeLessThan(1_200);
      }
    }
  });
});

describe('a code interpreter that is a program of the sandbox', () => {
  let hostile: TestDataPlane | undefined;
  let answer: RequestListener;
  const server = createServer((req, res) => {
    req.resume();
    answer(req, res);
  });
  beforeAll(() => new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve)));
  afterAll(() => void server.close());
  let told: string[] = [];
  const start = async (maxHeldBytes = 10_000_000) => {
    const sandboxUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    hostile = await startDataPlane({ connection: { sandboxUrl }, maxHeldBytes });
    told = [];
    const run = hostile.openRun({ limits: { maxAnswerBytes: 2_000_000 }, progress: line => told.push(line) });
    const { sandboxId } = await run.call<Made>('Sandbox.create', { opts: { network: { allowPublicTraffic: false } } });
    return { run, sandboxId, plane: hostile };
  };
  afterEach(async () => {
    server.closeAllConnections();
    await hostile?.close();
  });

  it('answers at most the size of its lines, and one with too many values is not even parsed', async () => {
    const { run, sandboxId } = await start();
    const many = `{"type":"result","x":[${'0,'.repeat(500_000)}0]}`;
    const lines = [
      `{"type":"result","is_main_result":true,"text":"${'[,{'.repeat(100_000)}\\"","n":[1e20,{}],"png":null,"extra":{"own":1}}`,
      many,
      `{"type":"result","x":[${'1e20,'.repeat(90_000)}0]}`,
      '{"type":"stdout","text":"end"}',
    ];
    answer = (_req, res) => void res.end(lines.join('\n'));
    const parse = vi.spyOn(JSON, 'parse');
    const reply = await run.reply('Sandbox.runCode', { sandboxId, code: '' });
    const parsed = parse.mock.calls.map(([text]) => text);
    parse.mockRestore();
    expect(parsed).toContain(lines[2]);
    expect(parsed).not.toContain(many);
    if (!reply.ok) throw new Error(reply.error.message);
    const text = `${'[,{'.repeat(100_000)}"`;
    expect(JSON.parse(reply.json)).toEqual({
      text,
      results: [{ text, n: [1e20, {}], own: 1, isMainResult: true }],
      logs: { stdout: ['end'], stderr: [expect.stringMatching(/^\[gateway: 2 results left out/)] },
    });
  });

  it('keeps of a result its text, not what the text is when parsed', async () => {
    const { run, sandboxId } = await start();
    const kept: WeakRef<object>[] = [];
    const parse = JSON.parse;
    vi.spyOn(JSON, 'parse').mockImplementation((text, reviver) => {
      const value = parse(text, reviver) as { x: object };
      if (text.startsWith('{"type":"result"')) kept.push(new WeakRef(value.x));
      return value;
    });
    let end = () => {};
    answer = (_req, res) => {
      res.write('{"type":"result","x":[{},{}]}\n'.repeat(20));
      end = () => res.end();
    };
    const replying = run.reply('Sandbox.runCode', { sandboxId, code: '' });
    await expect.poll(() => kept.length).toBe(20);
    vi.mocked(JSON.parse).mockRestore();
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    await expect
      .poll(() => {
        collectGarbage();
        return kept.filter(value => value.deref() !== undefined).length;
      })
      .toBe(0);
    end();
    expect(await replying).toMatchObject({ ok: true });
  });

  it('cannot hold more bytes of open answers than the process may, and gives them back with its run', async () => {
    const { run, sandboxId, plane } = await start(1_000_000);
    answer = (req, res) => {
      if (req.url === '/fetch') return res.end('x'.repeat(600_000));
      return res.write(`{"type":"result","text":"${'x'.repeat(500_000)}"}\n{"type":"stdout","text":"sent\\n"}\n`);
    };
    const drip = run.reply('Sandbox.runCode', { sandboxId, code: '' });
    await expect.poll(() => told).toContain('sent');
    const other = plane.openRun({ key: run.key });
    const fetch = () => other.reply('Sandbox.fetch', { sandboxId, port: 80, path: '/fetch' });
    expect(await fetch()).toMatchObject({ ok: false, error: { code: 'busy', message: /open answers/ } });
    run.end();
    expect(await drip).toMatchObject({ ok: false, error: { code: 'cancelled' } });
    await expect.poll(async () => (await fetch()).ok).toBe(true);
    // What was read to its end is given back too.
    for (let again = 0; again < 3; again++) await expect.poll(async () => (await fetch()).ok).toBe(true);
  });

  it('that echoes its tokens: they are masked', async () => {
    const { run, sandboxId, plane } = await start();
    const { envdAccessToken = '', trafficAccessToken = '' } = plane.cloud.cloud.find(sandboxId) ?? {};
    const tokens = `${envdAccessToken} ${trafficAccessToken}`;
    answer = (req, res) => {
      res.writeHead(req.url === '/fetch' ? 418 : 200, `told ${tokens}`, { 'x-told': tokens });
      if (req.url === '/contexts') res.end(JSON.stringify([tokens]));
      else if (req.url === '/fetch') res.end(`told ${tokens}`);
      else
        res.end(
          ['stdout', 'stderr', 'result']
            .map(type => JSON.stringify({ type, text: tokens, json: { [tokens]: JSON.stringify([tokens]) } }))
            .concat(JSON.stringify({ type: 'error', name: tokens, value: tokens, traceback: tokens }))
            .join('\n'),
        );
    };
    for (const [id, args] of [
      ['runCode', { code: '' }],
      ['listCodeContexts', {}],
      ['createCodeContext', {}],
      ['fetch', { port: 49999, path: '/fetch' }],
    ] as const) {
      const reply = await run.reply(`Sandbox.${id}`, { sandboxId, ...args });
      if (!reply.ok) throw new Error(`${id}: ${reply.error.message}`);
      const { base64 = '' } = (JSON.parse(reply.json) ?? {}) as { base64?: string };
      told.push(reply.json, Buffer.from(base64, 'base64').toString());
    }
    const all = told.join('\n');
    expect(all).toContain('told ');
    expect(all).toContain('[redacted] [redacted]');
    expect([envdAccessToken, trafficAccessToken]).not.toContain('');
    expect(all).not.toContain(envdAccessToken);
    expect(all).not.toContain(trafficAccessToken);
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

    // Without a common address each sandbox has its own, below the domain that the API names for it.
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
