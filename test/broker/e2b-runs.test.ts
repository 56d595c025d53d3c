// The data plane over real processes: what a run may use, what ends with it and what outlives it.
import type { IncomingHttpHeaders } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Fault } from '../../local/faults.ts';
import { sdkOptions } from '../../src/e2b/connection.ts';
import { openHandle } from '../../src/e2b/handle.ts';
import { createWireFactory } from '../../src/e2b/wire.ts';
import { Origin } from '../../src/ground/origin.ts';
import { startDataPlane, type TestDataPlane } from '../support/data-plane.ts';
import { newKey } from '../support/gateway.ts';

type Made = { sandboxId: string };
type Result = { exitCode: number; stdout: string; stderr: string; error?: string; dropped?: number; pid: number };

const starts: IncomingHttpHeaders[] = [];
let fault: ((url: string) => Fault | undefined) | undefined;
let plane: TestDataPlane;
beforeAll(async () => {
  const onRequest = ({ url = '', headers }: { url?: string | undefined; headers: IncomingHttpHeaders }) => {
    if (url.endsWith('/process.Process/Start')) starts.push(headers);
    return fault?.(url);
  };
  plane = await startDataPlane({ shell: 'process', cloud: { faults: { onRequest } } });
});
afterAll(() => plane.close());
afterEach(() => {
  fault = undefined;
});

let run: ReturnType<TestDataPlane['openRun']>;
let sandboxId: string;
beforeEach(async () => {
  run = plane.openRun({ limits: { maxCalls: 1_000 } });
  sandboxId = (await run.call<Made>('Sandbox.create', {})).sandboxId;
});
afterEach(async () => {
  await plane.openRun({ key: run.key }).call('Sandbox.kill', { sandboxId });
});

const command = (cmd: string, opts: object = {}, by = run) =>
  by.call<Result>('Sandbox.commands.run', { sandboxId, cmd, opts });
const pids = async () =>
  (await plane.openRun({ key: run.key }).call<{ pid: number }[]>('Sandbox.commands.list', { sandboxId })).map(
    p => p.pid,
  );

describe('a command', () => {
  it('is a result, however it ends', async () => {
    expect(await command('echo out; echo err >&2; exit 3')).toMatchObject({
      exitCode: 3,
      stdout: 'out\n',
      stderr: 'err\n',
    });
    expect(await command('echo "$NAME in $PWD"', { envs: { NAME: 'n' }, cwd: '/tmp' })).toMatchObject({ exitCode: 0 });
    expect(await command('no-such-program')).toMatchObject({ exitCode: 127 });
  });

  it('that takes too long is killed, and what it printed is kept', async () => {
    const ended = await command('echo early; sleep 30', { timeoutMs: 400 });
    expect(ended).toMatchObject({ exitCode: -1, stdout: 'early\n', error: expect.stringMatching(/timed out/) });
    await expect.poll(pids).toEqual([]);
  });

  it('that took all the time of the run: the error has what helps then', async () => {
    const short = plane.openRun({ key: run.key, wallMs: 1_500 });
    const ended = await command('sleep 30', { timeoutMs: 120_000 }, short);
    expect(ended.error).toMatch(
      /^killed after .+ \(2 s in all\); start it with { background: true }, and read its logPath/,
    );
    expect(ended.error).not.toContain('more timeoutMs');
    const waiting = plane.openRun({ key: run.key, wallMs: 1_500 });
    const code = { sandboxId, code: 'import time; time.sleep(30)', opts: { timeoutMs: 120_000 } };
    const { error } = await waiting.call<{ error: { value: string } }>('Sandbox.runCode', code);
    expect(error.value).toMatch(/\(2 s in all\).*start that with commands\.run, { background: true }/);
    expect(error.value).not.toContain('more timeoutMs');
  });

  it('has the time the run has left, and no more', async () => {
    const short = plane.openRun({ key: run.key, wallMs: 1_500 });
    await command('true', {}, short);
    await command('true', { timeoutMs: 600_000 }, short);
    for (const { 'connect-timeout-ms': ms } of starts.slice(-2)) {
      expect(Number(ms)).toBeGreaterThan(0);
      expect(Number(ms)).toBeLessThan(1_500);
    }
  });

  it('printing a lot keeps its head and its tail', async () => {
    const { exitCode, stdout, dropped } = await command('echo first; seq 1 400000; echo last');
    expect(exitCode).toBe(0);
    expect(stdout.length).toBeLessThan(1_001_000);
    expect(stdout).toMatch(/^first\n1\n2\n[\s\S]*characters left out[\s\S]*400000\nlast\n$/);
    expect(dropped).toBeGreaterThan(1_000_000);
  });

  it('printing without end is killed', async () => {
    const few = plane.openRun({ key: run.key, limits: { maxAnswerBytes: 3_000_000 } });
    const ended = await command('yes', {}, few);
    expect(ended).toMatchObject({ exitCode: -1, error: expect.stringMatching(/3000000 bytes and was killed/) });
    await expect.poll(pids).toEqual([]);
  });

  it('is killed where the run has no bytes left', async () => {
    const poor = plane.openRun({ key: run.key, limits: { maxRunAnswerBytes: 200_000 } });
    const refused = await poor.refusal('Sandbox.commands.run', { sandboxId, cmd: 'yes' });
    expect(refused.code).toBe('budget_exceeded');
    await expect.poll(pids).toEqual([]);
  });

  it('may print bytes that are no text', async () => {
    expect(await command('head -c 1000 /dev/urandom; echo end')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/end\n$/),
    });
  });

  it('reports its lines as progress while it runs', async () => {
    const lines: string[] = [];
    const watched = plane.openRun({ key: run.key, progress: line => lines.push(line) });
    const first = watched.call('Sandbox.commands.run', {
      sandboxId,
      cmd: 'echo one; read x; echo two',
      opts: { stdin: true, background: true },
    });
    const { pid } = (await first) as Result;
    await expect.poll(() => lines).toContain('one');
    await watched.call('Sandbox.commands.sendStdin', { sandboxId, pid, data: 'go\n' });
    await watched.call('Sandbox.commands.wait', { sandboxId, pid });
    await expect.poll(() => lines.join('\n')).toContain('two');
  });
});

describe('when the run ends', () => {
  it('a foreground command is killed', async () => {
    const leaving = plane.openRun({ key: run.key });
    const ran = leaving.reply('Sandbox.commands.run', { sandboxId, cmd: 'echo on; sleep 30' });
    await expect.poll(async () => (await pids()).length).toBe(1);
    leaving.end();
    expect(await ran).toMatchObject({ ok: false, error: { code: 'cancelled' } });
    await expect.poll(pids).toEqual([]);
  });

  it('a background command goes on, without a deadline, and can be found again', async () => {
    const { pid } = await command('read x; echo "got $x" > /tmp/got; sleep 30', { background: true, stdin: true });
    expect(starts.at(-1)?.['connect-timeout-ms']).toBeUndefined();
    run.end();
    expect(await pids()).toEqual([pid]);
    const next = plane.openRun({ key: run.key });
    await next.call('Sandbox.commands.connect', { sandboxId, pid });
    await next.call('Sandbox.commands.sendStdin', { sandboxId, pid, data: { base64: btoa('hello\n') } });
    await expect.poll(() => next.call('Sandbox.files.exists', { sandboxId, path: '/tmp/got' })).toBe(true);
    expect(await next.call('Sandbox.commands.kill', { sandboxId, pid })).toBe(true);
    expect(await next.call('Sandbox.commands.kill', { sandboxId, pid: 4_000_000 })).toBe(false);
  });

  it('a sandbox that was being created is not left behind', async () => {
    const key = newKey();
    fault = url => (url === '/v2/sandboxes' ? { delayMs: 300 } : undefined);
    const leaving = plane.openRun({ key });
    const made = leaving.reply('Sandbox.create', {});
    await expect.poll(() => leaving.ledger.length).toBe(1);
    leaving.end();
    expect(await made).toMatchObject({ ok: false, error: { code: 'cancelled' } });
    expect(leaving.ledger[0]).toMatchObject({ status: 'unknown', write: true });
    const deleted = () => plane.requests.filter(line => line.startsWith('DELETE /sandboxes/')).length;
    const before = deleted();
    await expect.poll(deleted).toBeGreaterThan(before);
    fault = undefined;
    expect(await plane.openRun({ key }).call('Sandbox.list', {})).toMatchObject({ items: [] });
  });
});

describe('a background command', () => {
  it('gives its output so far, its result, and its end', async () => {
    const { pid } = await command('echo one; read x; echo two; exit 4', { background: true, stdin: true });
    const output = () => run.call<Result>('Sandbox.commands.output', { sandboxId, pid });
    await expect.poll(async () => (await output()).stdout).toBe('one\n');
    await run.call('Sandbox.commands.sendStdin', { sandboxId, pid, data: '\n' });
    const ended = { exitCode: 4, stdout: 'one\ntwo\n', stderr: '' };
    expect(await run.call('Sandbox.commands.wait', { sandboxId, pid })).toMatchObject(ended);
    expect(await output()).toMatchObject(ended);
  });

  it('that outlasts the run: its error comes before the run is over', async () => {
    const short = plane.openRun({ key: run.key, wallMs: 700 });
    const { pid } = await command('sleep 30', { background: true }, short);
    const refused = await short.refusal('Sandbox.commands.wait', { sandboxId, pid });
    expect(refused).toMatchObject({
      code: 'sandbox_failed',
      message: expect.stringMatching(/TimeoutError.*still runs.*replays no output/),
    });
    await short.call('Sandbox.commands.kill', { sandboxId, pid });
  });

  it('takes a lot of stdin, in order', async () => {
    const data = Array.from({ length: 40_000 }, (_, i) => String(i)).join('\n');
    const { pid } = await command('cat > /tmp/in', { background: true, stdin: true });
    await run.call('Sandbox.commands.sendStdin', { sandboxId, pid, data });
    await run.call('Sandbox.commands.closeStdin', { sandboxId, pid });
    await run.call('Sandbox.commands.wait', { sandboxId, pid });
    expect(await run.call('Sandbox.files.read', { sandboxId, path: '/tmp/in' })).toBe(data);
  });

  it('that prints without end goes on, and its output is no longer collected', async () => {
    const few = plane.openRun({ key: run.key, limits: { maxAnswerBytes: 300_000 } });
    const { pid } = await command('seq 1 200000; sleep 30', { background: true }, few);
    const ended = await few.call<Result>('Sandbox.commands.wait', { sandboxId, pid });
    expect(ended).toMatchObject({ exitCode: -1, error: expect.stringMatching(/300000 bytes and goes on/) });
    expect(await pids()).toEqual([pid]);
  });

  it('is one of twenty at most that are followed at once', async () => {
    const started = Array.from({ length: 20 }, () => command('sleep 30', { background: true }));
    const followed = await Promise.all(started);
    const more = { sandboxId, cmd: 'sleep 30', opts: { background: true } };
    expect(await run.refusal('Sandbox.commands.run', more)).toMatchObject({
      code: 'budget_exceeded',
      message: expect.stringMatching(/disconnect/),
    });
    await run.call('Sandbox.commands.disconnect', { sandboxId, pid: followed[0]?.pid });
    await expect.poll(async () => (await run.reply('Sandbox.commands.run', more)).ok).toBe(true);
  });

  it('of another run is not followed by itself', async () => {
    const refused = await run.refusal('Sandbox.commands.wait', { sandboxId, pid: 1 });
    expect(refused).toMatchObject({
      code: 'request_invalid',
      message: expect.stringMatching(/commands\.connect\(1\)/),
    });
  });
});

describe('files', () => {
  it('come back as they were, byte for byte', async () => {
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 7) % 256));
    const files = [
      { path: '/tmp/d/a.bin', data: { base64: bytes.toString('base64') } },
      { path: '/tmp/d/ü.txt', data: 'päth' },
    ];
    await run.call('Sandbox.files.write', { sandboxId, files, single: false });
    const read = (path: string, format?: string) =>
      run.call<string>('Sandbox.files.read', { sandboxId, path, ...(format && { opts: { format } }) });
    expect(await read('/tmp/d/a.bin', 'base64')).toBe(bytes.toString('base64'));
    expect(await read('/tmp/d/ü.txt')).toBe('päth');
    const list = await run.call<{ name: string }[]>('Sandbox.files.list', { sandboxId, path: '/tmp/d' });
    expect(list.map(({ name }) => name).toSorted()).toEqual(['a.bin', 'ü.txt']);
  });

  it('too large to read are refused while they stream', async () => {
    await command('head -c 6000000 /dev/zero > /tmp/big');
    const refused = await run.refusal('Sandbox.files.read', { sandboxId, path: '/tmp/big' });
    expect(refused).toMatchObject({ code: 'answer_too_large', message: expect.stringMatching(/downloadUrl/) });
  });

  it('too large to write are refused before they are sent', async () => {
    const small = plane.openRun({ key: run.key, limits: { maxRequestBytes: 1_000 } });
    const files = [{ path: '/tmp/a', data: 'x'.repeat(1_001) }];
    const refused = await small.refusal('Sandbox.files.write', { sandboxId, files, single: true });
    expect(refused.code).toBe('budget_exceeded');
    expect(await run.call('Sandbox.files.exists', { sandboxId, path: '/tmp/a' })).toBe(false);
  });

  it('that are missing are named as the SDK names them', async () => {
    const refused = await run.refusal('Sandbox.files.read', { sandboxId, path: '/nope' });
    expect(refused).toMatchObject({
      code: 'sandbox_failed',
      message: expect.stringMatching(/^FileNotFoundError: .*nope/),
    });
    expect(run.ledger.at(-1)).toMatchObject({ label: `Sandbox.files.read ${sandboxId}`, status: 404, write: false });
  });
});

describe('a server inside', () => {
  const SERVER = `require('http').createServer((q, r) => {
    const url = new URL(q.url, 'http://x');
    if (url.pathname === '/here') return r.writeHead(302, { location: '/there' }).end();
    if (url.pathname === '/away') return r.writeHead(302, { location: url.searchParams.get('to') }).end();
    if (url.pathname === '/big') return r.end(Buffer.alloc(6e6));
    if (url.pathname === '/slow') return;
    let body = ''; q.on('data', d => body += d).on('end', () => r.setHeader('x-own', 'yes').end(JSON.stringify({ method: q.method, url: q.url, headers: q.headers, body })));
  }).listen(8765, '127.0.0.1', () => console.log('up'))`;
  const fetch = (path: string, opts: object = {}, port = 8765) =>
    run.reply('Sandbox.fetch', { sandboxId, port, path, opts });
  const answerOf = async (replying: ReturnType<typeof fetch>) => {
    const reply = await replying;
    if (!reply.ok) throw new Error(reply.error.message);
    const { base64, ...rest } = JSON.parse(reply.json) as {
      status: number;
      headers: Record<string, string>;
      base64: string;
    };
    return { ...rest, text: Buffer.from(base64, 'base64').toString() };
  };
  beforeEach(async () => {
    await run.call('Sandbox.files.write', { sandboxId, files: [{ path: '/tmp/s.js', data: SERVER }], single: true });
    const { pid } = await command('exec node /tmp/s.js', { background: true });
    await expect
      .poll(async () => (await run.call<Result>('Sandbox.commands.output', { sandboxId, pid })).stdout)
      .toBe('up\n');
  });

  it('is reached with method, headers and body, and without tokens', async () => {
    const { status, headers, text } = await answerOf(
      fetch('/a?b=c', { method: 'post', headers: { 'x-mine': '1', authorization: 'Bearer mine' }, body: '{"n":1}' }),
    );
    expect(status).toBe(200);
    expect(headers['x-own']).toBe('yes');
    const seen = JSON.parse(text) as { method: string; url: string; headers: Record<string, string>; body: string };
    expect(seen).toMatchObject({ method: 'POST', url: '/a?b=c', body: '{"n":1}' });
    expect(seen.headers).toMatchObject({ 'x-mine': '1', authorization: 'Bearer mine' });
    expect(Object.keys(seen.headers).join()).not.toMatch(/api-key|access-token|e2b/);
  });

  it('redirects within itself, but not the gateway', async () => {
    expect(JSON.parse((await answerOf(fetch('/here'))).text)).toMatchObject({ url: '/there' });
    expect(await answerOf(fetch('/here', { redirect: 'manual' }))).toMatchObject({ status: 302 });
    const before = plane.requests.length;
    for (const to of [plane.cloud.url, '//evil.example/x', 'http://127.0.0.1:1/', 'file:///etc/passwd']) {
      const answered = await answerOf(fetch(`/away?to=${encodeURIComponent(to)}`));
      expect(answered).toMatchObject({ status: 302, headers: { location: to } });
    }
    expect(plane.requests.length).toBe(before + 4);
  });

  it('that answers too much, too late, or not at all: the error names which', async () => {
    expect(await fetch('/big')).toMatchObject({ ok: false, error: { code: 'answer_too_large' } });
    expect(await fetch('/slow', { timeoutMs: 200 })).toMatchObject({
      ok: false,
      error: { message: expect.stringMatching(/TimeoutError: port 8765/) },
    });
    expect((await answerOf(fetch('/', {}, 8766))).status).toBe(502);
  });
});

describe('a request to a port', () => {
  it.each([
    ['the daemon', '/files', {}, 49983],
    ['no port', '/', {}, 0],
    ['no path', 'x', {}, 8765],
    ['another host in the path', '\\\\evil.example', {}, 8765],
    ['a line break in the path', '/a\r\nHost: x', {}, 8765],
    ['another host in the headers', '/', { headers: { Host: 'evil.example' } }, 8765],
    ['another sandbox in the headers', '/', { headers: { 'E2b-Sandbox-Id': 'i0' } }, 8765],
    ['a line break in a header', '/', { headers: { a: 'b\r\nc: d' } }, 8765],
    ['a method of its own', '/', { method: 'CONNECT' }, 8765],
  ])('is refused for %s', async (_title, path, opts, port) => {
    const reply = await run.reply('Sandbox.fetch', { sandboxId, port, path, opts });
    expect(reply).toMatchObject({ ok: false, error: { code: 'request_invalid' } });
  });
});

it('hands the user links to files that work as they are', async () => {
  const upload = await run.call<string>('Sandbox.uploadUrl', { sandboxId, path: '/tmp/up.txt' });
  const form = new FormData();
  form.append('file', new Blob(['from outside']));
  expect((await fetch(upload, { method: 'POST', body: form })).status).toBe(200);
  const link = await run.call<string>('Sandbox.downloadUrl', {
    sandboxId,
    path: '/tmp/up.txt',
    opts: { useSignatureExpiration: 60 },
  });
  expect(await (await fetch(link)).text()).toBe('from outside');
  expect(link).toContain('signature_expiration=');
  const other = link.replace(encodeURIComponent('/tmp/up.txt'), encodeURIComponent('/etc/passwd'));
  expect((await fetch(other)).ok).toBe(false);
});

it("the SDK's private fields are where handle.ts expects them", async () => {
  const { envdAccessToken } = plane.cloud.cloud.find(sandboxId) ?? {};
  const options = sdkOptions(
    { api: new Origin(plane.cloud.url), sandboxUrl: plane.cloud.url, domain: 'e2b.test' },
    { apiKey: run.key, signal: AbortSignal.timeout(10_000), timeoutMs: 10_000 },
  );
  const wires = createWireFactory();
  const asked: string[] = [];
  const wire = wires.open({
    principalId: 'someone',
    origin: plane.cloud.url,
    signal: options.signal,
    maxAnswerBytes: 1_000_000,
  });
  const access = {
    sandboxId,
    domain: undefined,
    envdVersion: '0.6.13',
    envdAccessToken,
    trafficAccessToken: undefined,
  };
  const watched: typeof wire = {
    fault: undefined,
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
