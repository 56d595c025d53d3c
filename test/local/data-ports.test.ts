// Access to a local sandbox: ports inside it, tokens, and what a request to no sandbox gets.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ShellKind } from '../support/machines.ts';
import { until } from './support/conditions.ts';
import { type Connection, Sandbox, startCloud } from './support/data.ts';

type Started = Awaited<ReturnType<typeof startCloud>>;

const port = (connection: Connection, id: string, number: number, path = '/', init: RequestInit = {}) =>
  fetch(connection.sandboxUrl + path, {
    ...init,
    headers: { ...(init.headers as Record<string, string>), 'e2b-sandbox-id': id, 'e2b-sandbox-port': String(number) },
  });

const NODE_SERVER = `require('http').createServer((req, res) => {
  let body = '';
  req.on('data', part => { body += part; });
  req.on('end', () => { res.setHeader('x-served', 'yes'); res.statusCode = 201; res.end(JSON.stringify([req.method, req.url, body, req.headers['x-access-token'] ?? null])); });
}).listen(4567, '127.0.0.1', () => console.log('up'));`;

describe.each<ShellKind>(['virtual', 'process'])('ports, %s shell', shell => {
  let started: Started;
  beforeAll(async () => {
    started = await startCloud(shell);
  });
  afterAll(() => started.local.close());

  test('a server in the sandbox is reached, its neighbours and the host are not', async () => {
    const { connection, local } = started;
    const [sandbox, neighbour] = await Promise.all([Sandbox.create(connection), Sandbox.create(connection)]);
    const closed = await port(connection, sandbox.sandboxId, 4567);
    expect([closed.status, await closed.json()]).toEqual([
      502,
      { sandboxId: sandbox.sandboxId, message: 'The sandbox is running but port is not open', port: 4567, code: 502 },
    ]);

    await sandbox.files.write('server.js', NODE_SERVER);
    const server = await sandbox.commands.run('node server.js', { background: true });
    await until(() => server.stdout.includes('up'));
    const answer = await port(connection, sandbox.sandboxId, 4567, '/path?q=1', {
      method: 'POST',
      body: 'hello',
      headers: { 'x-access-token': 'not for the server' },
    });
    expect([answer.status, answer.headers.get('x-served'), await answer.json()]).toEqual([
      201,
      'yes',
      ['POST', '/path?q=1', 'hello', null],
    ]);
    expect((await port(connection, neighbour.sandboxId, 4567)).status).toBe(502);
    expect((await port(connection, sandbox.sandboxId, local.port)).status).toBe(502);
    await server.kill();
    await until(async () => (await port(connection, sandbox.sandboxId, 4567)).status === 502);
  });
});

describe('ports, virtual shell only', () => {
  test('python’s http.server serves the files, and curl inside reaches it', async () => {
    const { local, connection } = await startCloud('virtual');
    const sandbox = await Sandbox.create(connection);
    await sandbox.files.write('site/index.html', '<h1>served</h1>');
    await sandbox.commands.run('python3 -m http.server 8000 --directory site', { background: true, timeoutMs: 0 });
    // Asked at once: a server that starts is waited for. An address without a scheme is http.
    const inside = await sandbox.commands.run('curl -s localhost:8000/index.html');
    expect(inside.stdout).toBe('<h1>served</h1>');
    // How the SDKs' waitForPort asks.
    const listening = 'for port in 8000 8001; do [ -n "$(ss -Htuln sport = :$port)" ] && echo $port; done; true';
    expect((await sandbox.commands.run(listening)).stdout).toBe('8000\n');
    expect(await (await port(connection, sandbox.sandboxId, 8000)).text()).toBe('<h1>served</h1>');
    expect((await port(connection, sandbox.sandboxId, 8000, '/none')).status).toBe(404);
    await expect(sandbox.commands.run('curl -s https://example.com')).rejects.toThrow();
    await local.close();
  });
});

describe('access', () => {
  let started: Started;
  beforeAll(async () => {
    started = await startCloud('virtual');
  });
  afterAll(() => started.local.close());

  test('the daemon wants the sandbox’s own token', async () => {
    const { connection } = started;
    const [mine, other] = await Promise.all([Sandbox.create(connection), Sandbox.create(connection)]);
    const token =
      (await mine.downloadUrl('x', { useSignatureExpiration: 60 })) &&
      started.local.cloud.find(other.sandboxId)?.envdAccessToken;
    const list = (headers: Record<string, string>) =>
      port(connection, mine.sandboxId, 49983, '/process.Process/List', {
        method: 'POST',
        body: '{}',
        headers: { 'content-type': 'application/json', ...headers },
      });
    expect((await list({})).status).toBe(401);
    expect((await list({ 'x-access-token': token ?? '' })).status).toBe(401);
    const own = started.local.cloud.find(mine.sandboxId)?.envdAccessToken ?? '';
    expect((await list({ 'x-access-token': own })).status).toBe(200);
    expect((await port(connection, mine.sandboxId, 49983, '/health')).status).toBe(204);
    expect((await port(connection, mine.sandboxId, 49983, '/envs')).status).toBe(401);
    expect(
      (await port(connection, mine.sandboxId, 49983, '/init', { headers: { 'x-access-token': own } })).status,
    ).toBe(404);
  });

  test('bad requests get clear errors', async () => {
    const { connection, local } = started;
    const sandbox = await Sandbox.create(connection);
    const own = local.cloud.find(sandbox.sandboxId)?.envdAccessToken ?? '';
    const call = async (path: string, body: string, type = 'application/json') => {
      const answer = await port(connection, sandbox.sandboxId, 49983, path, {
        method: 'POST',
        body,
        headers: { 'content-type': type, 'x-access-token': own },
      });
      return [answer.status, answer.status === 415 ? null : ((await answer.json()) as { code: unknown }).code];
    };
    expect(await call('/process.Process/List', 'not json')).toEqual([400, 'invalid_argument']);
    expect(await call('/process.Process/SendSignal', '{"process":{"pid":1},"signal":"SIGNAL_OTHER"}')).toEqual([
      400,
      'invalid_argument',
    ]);
    expect(await call('/process.Process/Nothing', '{}')).toEqual([501, 'unimplemented']);
    expect(await call('/process.Process/List', '{}', 'application/proto')).toEqual([415, null]);
    expect(await call('/filesystem.Filesystem/Stat', '{"path":"a\\u0000b"}')).toEqual([400, 'invalid_argument']);
    expect(await call('/files?path=x', 'no boundary', 'multipart/form-data; boundary=zzz')).toEqual([400, 400]);
  });

  test('a polled watcher, as the Python SDK has it', async () => {
    const { connection, local } = started;
    const sandbox = await Sandbox.create(connection);
    const own = local.cloud.find(sandbox.sandboxId)?.envdAccessToken ?? '';
    const call = async (method: string, body: object) => {
      const answer = await port(connection, sandbox.sandboxId, 49983, `/filesystem.Filesystem/${method}`, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', 'x-access-token': own },
      });
      return (await answer.json()) as { watcherId?: string; events?: object[]; code?: string };
    };
    const { watcherId } = await call('CreateWatcher', { path: '/home/user' });
    await sandbox.files.write('seen.txt', 'x');
    expect(await call('GetWatcherEvents', { watcherId })).toEqual({
      events: ['CREATE', 'CHMOD', 'WRITE'].map(kind => ({ name: 'seen.txt', type: `EVENT_TYPE_${kind}` })),
    });
    expect(await call('GetWatcherEvents', { watcherId })).toEqual({ events: [] });
    expect(await call('RemoveWatcher', { watcherId })).toEqual({});
    expect((await call('GetWatcherEvents', { watcherId })).code).toBe('not_found');
  });

  test('a sandbox that is not there is 502 in the proxy’s words', async () => {
    const answer = await port(started.connection, 'i0000000000000000000', 49983, '/health');
    expect([answer.status, await answer.json()]).toEqual([
      502,
      { sandboxId: 'i0000000000000000000', message: 'The sandbox was not found', code: 502 },
    ]);
  });

  test('private ports want the traffic token', async () => {
    const { connection, local } = started;
    const sandbox = await Sandbox.create({ ...connection, network: { allowPublicTraffic: false } });
    expect((await port(connection, sandbox.sandboxId, 8080)).status).toBe(403);
    const token = local.cloud.find(sandbox.sandboxId)?.trafficAccessToken ?? '';
    expect(
      (await port(connection, sandbox.sandboxId, 8080, '/', { headers: { 'e2b-traffic-access-token': token } })).status,
    ).toBe(502);
    expect((await sandbox.commands.run('echo works')).stdout).toBe('works\n');
  });
});
