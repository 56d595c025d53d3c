// Requests to a server in a sandbox with real processes.
import { beforeEach, describe, expect, it } from 'vitest';
import { wholeText } from '../../src/ground/json-text.ts';
import { type CommandResult, useProcessRun } from '../support/process-run.ts';

const { parts, command } = useProcessRun();

describe('a server in a sandbox', () => {
  const SERVER = `require('http').createServer((q, r) => {
    const url = new URL(q.url, 'http://x');
    if (url.pathname === '/here') return r.writeHead(302, { location: '/there' }).end();
    if (url.pathname === '/away') return r.writeHead(302, { location: url.searchParams.get('to') }).end();
    if (url.pathname === '/big') return r.end(Buffer.alloc(6e6));
    if (url.pathname === '/slow') return;
    let body = ''; q.on('data', d => body += d).on('end', () => r.setHeader('x-own', 'yes').end(JSON.stringify({ method: q.method, url: q.url, headers: q.headers, body })));
  }).listen(8765, '127.0.0.1', () => console.log('up'))`;
  const fetch = (path: string, opts: object = {}, port = 8765) =>
    parts.run.reply('Sandbox.fetch', { sandboxId: parts.sandboxId, port, path, opts });
  const answerOf = async (replying: ReturnType<typeof fetch>) => {
    const reply = await replying;
    if (!reply.ok) throw new Error(reply.error.message);
    const { base64, ...rest } = JSON.parse(wholeText(reply.json)) as {
      status: number;
      headers: Record<string, string>;
      base64: string;
    };
    return { ...rest, text: Buffer.from(base64, 'base64').toString() };
  };
  beforeEach(async () => {
    await parts.run.call('Sandbox.files.write', {
      sandboxId: parts.sandboxId,
      files: [{ path: '/tmp/s.js', data: SERVER }],
      single: true,
    });
    const { pid } = await command('exec node /tmp/s.js', { background: true });
    await expect
      .poll(
        async () =>
          (await parts.run.call<CommandResult>('Sandbox.commands.output', { sandboxId: parts.sandboxId, pid })).stdout,
      )
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

  it('can redirect to itself, but not to another server', async () => {
    expect(JSON.parse((await answerOf(fetch('/here'))).text)).toMatchObject({ url: '/there' });
    expect(await answerOf(fetch('/here', { redirect: 'manual' }))).toMatchObject({ status: 302 });
    const before = parts.plane.requests.length;
    for (const to of [parts.plane.cloud.url, '//evil.example/x', 'http://127.0.0.1:1/', 'file:///etc/passwd']) {
      const answered = await answerOf(fetch(`/away?to=${encodeURIComponent(to)}`));
      expect(answered).toMatchObject({ status: 302, headers: { location: to } });
    }
    expect(parts.plane.requests.length).toBe(before + 4);
  });

  it('that sends too much, too late or nothing causes an error that says which', async () => {
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
    ['an unsupported method', '/', { method: 'CONNECT' }, 8765],
  ])('is refused for %s', async (_title, path, opts, port) => {
    const reply = await parts.run.reply('Sandbox.fetch', { sandboxId: parts.sandboxId, port, path, opts });
    expect(reply).toMatchObject({ ok: false, error: { code: 'request_invalid' } });
  });
});
