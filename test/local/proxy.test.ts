// In front of the sandboxes: ports by name, as links to them are written, what refused traffic leaves alone, and
// the errors that people and programs see.
import { request } from 'node:http';
import { Sandbox as BaseSandbox } from 'e2b';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from './support/conditions.ts';
import { type Connection, Sandbox, startCloud } from './support/data.ts';
import { wireOf } from './support/wire.ts';

type Started = Awaited<ReturnType<typeof startCloud>>;
let started: Started;
let connection: Connection;
beforeAll(async () => {
  started = await startCloud('virtual');
  connection = started.connection;
});
afterAll(() => started.local.close());

/** As a browser or curl would, with the name resolved to this machine. */
function visit(
  host: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; type: string; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: started.local.port, headers: { host, ...headers } }, res => {
      let text = '';
      res.on('data', part => {
        text += part;
      });
      res.on('end', () => resolve({ status: res.statusCode ?? 0, type: res.headers['content-type'] ?? '', text }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

const ECHO =
  "require('http').createServer((q, r) => r.end(JSON.stringify(q.headers))).listen(8080, () => console.log('up'))";

async function serving(sandbox: BaseSandbox): Promise<void> {
  await sandbox.files.write('echo.js', ECHO);
  const server = await sandbox.commands.run('node echo.js', { background: true, timeoutMs: 0 });
  server.wait().catch(() => {});
  await until(() => server.stdout.includes('up'));
}

describe('a port', () => {
  it('has a name below localhost that leads to it, also for the sandbox’s own connection', async () => {
    const sandbox = await Sandbox.create(connection);
    expect(sandbox.getHost(8080)).toBe(`8080-${sandbox.sandboxId}.localhost:${started.local.port}`);
    expect((await visit(sandbox.getHost(8080))).status).toBe(502);
    await serving(sandbox);
    expect((await visit(sandbox.getHost(8080))).text).toContain(sandbox.getHost(8080));
    const again = await Sandbox.connect(sandbox.sandboxId, connection);
    expect(again.getHost(8080)).toBe(sandbox.getHost(8080));
    await sandbox.kill();
    expect((await visit(sandbox.getHost(8080))).status).toBe(502);
  });

  it('sees the Host that the sandbox’s network options name', async () => {
    const network = { maskRequestHost: 'shown.example:${PORT}' };
    const sandbox = await Sandbox.create({ ...connection, network });
    await serving(sandbox);
    expect((await visit(sandbox.getHost(8080))).text).toContain('"shown.example:8080"');
    await sandbox.kill();
    for (const maskRequestHost of ['-https://abcd', 'a..-b', 'bücher.example', 'a:b:c']) {
      await expect(Sandbox.create({ ...connection, network: { maskRequestHost } }), maskRequestHost).rejects.toThrow(
        /mask request host/,
      );
    }
  });

  it('shows a person a page, and a program JSON', async () => {
    const sandbox = await Sandbox.create(connection);
    const host = sandbox.getHost(8080);
    const browser = { 'user-agent': 'Mozilla/5.0' };
    const page = await visit(host, browser);
    expect([page.status, page.type]).toEqual([502, 'text/html; charset=utf-8']);
    expect(page.text).toMatch(/^<html.*Closed Port Error.*no service running on port 8080.*<\/html>$/s);
    expect(page.text).toContain(sandbox.sandboxId);
    for (const headers of [
      {},
      { ...browser, accept: 'application/json' },
      { ...browser, 'sec-fetch-mode': 'cors' },
      { ...browser, 'x-requested-with': 'XMLHttpRequest' },
    ]) {
      expect((await visit(host, headers as Record<string, string>)).type).toBe('application/json; charset=utf-8');
    }
    await sandbox.kill();
    expect((await visit(host, browser)).text).toContain('<title>Sandbox Not Found</title>');
    const closed = await Sandbox.create({ ...connection, network: { allowPublicTraffic: false } });
    const token = { 'e2b-traffic-access-token': 'wrong' };
    expect((await visit(closed.getHost(8080), browser)).text).toContain('Missing Traffic Access Token');
    expect((await visit(closed.getHost(8080), { ...browser, ...token })).text).toContain(
      'Invalid Traffic Access Token',
    );
    await closed.kill();
  });
});

describe('a paused sandbox that wakes on traffic', () => {
  const paused = async (more: object = {}) => {
    const lifecycle = { onTimeout: 'pause', autoResume: true } as const;
    const sandbox = await BaseSandbox.create('base', { ...connection, timeoutMs: 420_000, lifecycle, ...more });
    const wire = wireOf(started.local, sandbox.sandboxId);
    await sandbox.pause();
    const state = async () => (await sandbox.getInfo()).state;
    return { sandbox, wire, state };
  };

  it.each([
    ['/health', {}],
    ['/health', { 'x-access-token': 'wrong' }],
    ['/files?path=x', {}],
    ['/process.Process/List', {}],
  ])('sleeps on when %s is asked without the right token (%o)', async (path, headers) => {
    const { sandbox, wire, state } = await paused();
    const answer = await wire.port(49983, path, undefined, headers);
    expect([answer.status, await answer.json()]).toEqual([
      403,
      {
        sandboxId: sandbox.sandboxId,
        message: "This sandbox can't be resumed with the credentials provided. Check your access token and try again.",
        code: 403,
      },
    ]);
    expect(await state()).toBe('paused');
    await sandbox.kill();
  });

  it('sleeps on when a private port is asked without its token, and wakes with it, for as long as it was made', async () => {
    const { sandbox, wire, state } = await paused({ network: { allowPublicTraffic: false } });
    expect((await wire.port(8080, '/')).status).toBe(403);
    expect(await state()).toBe('paused');
    const token = started.local.cloud.find(sandbox.sandboxId)?.trafficAccessToken ?? '';
    expect((await wire.port(8080, '/', undefined, { 'e2b-traffic-access-token': token })).status).toBe(502);
    expect(await state()).toBe('running');
    const leftMs = (await sandbox.getInfo()).endAt.getTime() - Date.now();
    expect(leftMs).toBeGreaterThan(400_000);
    await sandbox.kill();
  });

  it('is not woken by routes that only the cloud may call', async () => {
    const { sandbox, wire, state } = await paused();
    for (const path of ['/init', '//freeze', '/files/../init']) {
      const answer = await wire.http(path);
      expect(answer.status, path).toBe(404);
    }
    expect(await state()).toBe('paused');
    await sandbox.kill();
  });
});

describe('files over HTTP', () => {
  it('have types, ranges, dates and encodings', async () => {
    const sandbox = await Sandbox.create(connection);
    const wire = wireOf(started.local, sandbox.sandboxId);
    await sandbox.files.write('page.html', '<h1>0123456789</h1>');
    const get = (headers: Record<string, string> = {}) =>
      wire.http('/files?path=page.html', { headers: { 'accept-encoding': 'identity', ...headers } });
    const whole = await get();
    expect(whole.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(whole.headers.get('content-disposition')).toBe('inline; filename=page.html');
    const part = await get({ range: 'bytes=4-7' });
    expect([part.status, await part.text(), part.headers.get('content-range')]).toEqual([206, '0123', 'bytes 4-7/19']);
    expect(await (await get({ range: 'bytes=-5' })).text()).toBe('</h1>');
    expect((await get({ range: 'bytes=99-' })).status).toBe(416);
    const since = whole.headers.get('last-modified') ?? '';
    expect((await get({ 'if-modified-since': since })).status).toBe(304);
    expect((await get({ 'accept-encoding': 'gzip' })).headers.get('content-encoding')).toBe('gzip');
    expect((await get({ 'accept-encoding': 'identity;q=0, br' })).status).toBe(406);
    expect((await wire.http('/files?path=nowhere')).status).toBe(404);
    const json = await wire.http('/files?path=x', {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json' },
    });
    expect(json.status).toBe(400);
    await sandbox.kill();
  });

  it('lists depth first below the path asked for, replaces metadata, and refuses a rename onto a folder', async () => {
    const sandbox = await Sandbox.create(connection);
    await sandbox.files.write([
      { path: 'd/x/b', data: '' },
      { path: 'd/x/a/deep', data: '' },
      { path: 'd/y/c', data: '' },
      { path: 'd/x.txt', data: '' },
    ]);
    await sandbox.commands.run('ln -s d link');
    const listed = async (path: string, depth: number) =>
      (await sandbox.files.list(path, { depth })).map(entry => entry.path.replace('/home/user/', ''));
    expect(await listed('d', 2)).toEqual(['d/x', 'd/x/a', 'd/x/b', 'd/x.txt', 'd/y', 'd/y/c']);
    expect(await listed('link', 1)).toEqual(['link/x', 'link/x.txt', 'link/y']);
    await sandbox.files.write('m', '1', { metadata: { kept: 'no' } });
    expect((await sandbox.files.write('m', '2')).metadata).toBeUndefined();
    expect((await sandbox.files.getInfo('m')).metadata).toBeUndefined();
    await expect(sandbox.files.rename('m', 'd')).rejects.toThrow(/file exists/);
    expect([await sandbox.files.exists('d/x/b'), await sandbox.files.exists('m')]).toEqual([true, true]);
    expect((await sandbox.files.getInfo('d')).size).toBe(4096);
    await sandbox.kill();
  });
});
