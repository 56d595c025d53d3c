// The control plane from outside: who may call, and the life of a sandbox. Statuses, sentences, headers, bad input.
import { get } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { callerOf, newKey, PATIENT, useControl } from './support/control.ts';

const control = useControl();

describe('who may call', () => {
  test.each([
    ['no key', { 'x-api-key': '' }, 'authorization header is missing'],
    ['a bearer instead', { 'x-api-key': '', authorization: 'Bearer e2b_00' }, 'authorization header is missing'],
    ['another prefix', { 'x-api-key': 'sk_00' }, /^Invalid API key, please visit .*\nInvalid API key format$/],
    ['not hexadecimal', { 'x-api-key': 'e2b_xyz' }, /^Invalid API key/],
    ['nothing after the prefix', { 'x-api-key': 'e2b_' }, /^Invalid API key/],
  ])('%s: 401', async (_name, headers, message) => {
    const reply = await control.send('GET', '/v2/sandboxes', undefined, headers);
    expect(reply.status).toBe(401);
    expect(reply.body).toEqual({ code: 401, message: expect.stringMatching(message) });
    expect(reply.headers.get('content-type')).toMatch(/^application\/json/);
  });

  test('health needs no key; routes for other credentials refuse one; the rest is not found', async () => {
    expect((await control.send('GET', '/health', undefined, { 'x-api-key': '' })).status).toBe(204);
    for (const path of ['/teams', '/api-keys', '/access-tokens', '/admin/teams/x/api-keys', '/nodes']) {
      expect((await control.send('GET', path)).status).toBe(401);
    }
    expect(await control.send('GET', '/nowhere')).toMatchObject({ status: 404, body: { code: 404 } });
    expect(await control.send('POST', '/health')).toMatchObject({ status: 404, body: { code: 404 } });
  });

  test.each([
    ['127.0.0.1:1', 200],
    ['localhost', 200],
    ['api.e2b.localhost:3001', 200],
    ['[::1]:3001', 200],
    ['evil.example.com', 403],
    ['localhost.evil.example.com:3001', 403],
    ['127.0.0.1.evil.example.com', 403],
  ])('Host %s: %i, so that no web page can pass for a local client', async (host, status) => {
    const headers = { host, 'x-api-key': newKey() };
    const answered = await new Promise<number | undefined>((resolve, reject) => {
      get(`${control.local.url}/v2/sandboxes`, { headers }, res => resolve(res.resume().statusCode)).on(
        'error',
        reject,
      );
    });
    expect(answered).toBe(status);
  });

  test('tokens and keys appear in no list and no log', async () => {
    const key = newKey();
    const caller = callerOf(control.local, key);
    const { body } = await caller('POST', '/v2/sandboxes', {
      templateID: 'base',
      network: { allowPublicTraffic: false },
    });
    expect(body.envdAccessToken).toMatch(/^[0-9a-f]{64}$/);
    expect(body.trafficAccessToken).not.toBe(body.envdAccessToken);
    const list = await caller('GET', '/v2/sandboxes?metadata=');
    const logs = await caller('GET', `/v2/sandboxes/${body.sandboxID}/logs`);
    const everything = JSON.stringify(list.body) + JSON.stringify(logs.body);
    for (const secret of [key, key.slice(4), body.envdAccessToken, body.trafficAccessToken]) {
      expect(everything).not.toContain(secret);
    }
  });
});

describe('create', () => {
  test('v1 has 15 s and no envd token unless secure; v2 has 300 s and always one', async () => {
    const v1 = await control.send('POST', '/sandboxes', { templateID: 'base' });
    expect(v1.body).toEqual({
      templateID: 'rki5dems9wqfm4r03t7g',
      alias: 'base',
      sandboxID: expect.stringMatching(/^i[a-z0-9]{20}$/),
      clientID: expect.any(String),
      envdVersion: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      trafficAccessToken: null,
      domain: `localhost:${control.local.port}`,
    });
    const secure = await control.send('POST', '/sandboxes', { templateID: 'base', secure: true });
    const v2 = await control.send('POST', '/v2/sandboxes', { templateID: 'code-interpreter-v1' });
    expect(secure.body.envdAccessToken).toMatch(/^[0-9a-f]{64}$/);
    expect(v2.body.envdAccessToken).toMatch(/^[0-9a-f]{64}$/);
    for (const [made, seconds] of [
      [v1, 15],
      [v2, 300],
    ] as const) {
      const { body } = await control.send('GET', `/sandboxes/${made.body.sandboxID}`);
      expect(Date.parse(body.endAt) - Date.parse(body.startedAt)).toBe(seconds * 1000);
      expect(body).toMatchObject({ state: 'running', metadata: {}, allowInternetAccess: null, cpuCount: 2 });
    }
  });

  test.each([
    ['no body', undefined, /^validation error: request body has an error: value is required/],
    ['broken JSON', '{"templateID":', /^validation error: /],
    ['null', 'null', /^validation error: .*doesn't match schema/],
    ['a list', [], /^validation error: /],
    ['no template', {}, /^validation error: .*Error at "\/templateID"/],
    ['a number for a template', { templateID: 7 }, /Error at "\/templateID"/],
    ['a bad template name', { templateID: '../etc' }, /^Invalid template reference/],
    ['a text timeout', { templateID: 'base', timeout: '60' }, /Error at "\/timeout"/],
    ['a fraction of a second', { templateID: 'base', timeout: 1.5 }, /Error at "\/timeout": value must be an integer/],
    ['a negative timeout', { templateID: 'base', timeout: -1 }, /Error at "\/timeout": number must be at least 0/],
    ['a zero timeout', { templateID: 'base', timeout: 0 }, /^Timeout must be greater than 0$/],
    ['too long a timeout', { templateID: 'base', timeout: 3601 }, /^Timeout cannot be greater than 1 hours$/],
    ['metadata with a number', { templateID: 'base', metadata: { a: 1 } }, /Error at "\/metadata\/a"/],
    ['envVars as a list', { templateID: 'base', envVars: ['A=1'] }, /Error at "\/envVars"/],
    ['a domain without deny all', { templateID: 'base', network: { allowOut: ['e2b.dev'] } }, /ALL_TRAFFIC/],
    ['a domain denied', { templateID: 'base', network: { denyOut: ['e2b.dev'] } }, /^invalid denied CIDR e2b.dev$/],
    ['a mount of nothing', { templateID: 'base', volumeMounts: [{ name: 'v', path: '/v' }] }, /'v' not found/],
  ])('%s: 400', async (_name, body, message) => {
    for (const path of ['/sandboxes', '/v2/sandboxes']) {
      const reply = await control.send('POST', path, body);
      expect(reply).toMatchObject({ status: 400, body: { code: 400, message: expect.stringMatching(message) } });
    }
    expect((await control.send('GET', '/v2/sandboxes')).body).toEqual([]);
  });

  test('private traffic needs a secured sandbox', async () => {
    const body = { templateID: 'base', network: { allowPublicTraffic: false } };
    expect(await control.send('POST', '/sandboxes', body)).toMatchObject({
      status: 400,
      body: { message: expect.stringMatching(/'secure' flag/) },
    });
    expect((await control.send('POST', '/sandboxes', { ...body, secure: true })).status).toBe(201);
  });

  test('unknown fields are ignored; a body over 16 MiB is not read', async () => {
    await control.create({ somethingNew: true });
    const metadata = { a: 'x'.repeat(17 * 1024 * 1024) };
    expect((await control.send('POST', '/sandboxes', { templateID: 'base', metadata })).status).toBe(413);
  });
});

describe('one sandbox', () => {
  const unknown = `i${'0'.repeat(20)}`;
  const routes: [string, string, unknown?][] = [
    ['GET', ''],
    ['DELETE', ''],
    ['POST', '/pause'],
    ['POST', '/resume', {}],
    ['POST', '/connect', { timeout: 10 }],
    ['POST', '/timeout', { timeout: 10 }],
    ['POST', '/refreshes', {}],
    ['POST', '/fork', {}],
    ['POST', '/snapshots', {}],
    ['PUT', '/network', {}],
    ['GET', '/metrics'],
    ['GET', '/logs'],
  ];

  test.each(routes)('%s %s of an unknown sandbox or one of another key: 404', async (method, path, body) => {
    const id = await control.create();
    for (const [caller, sandboxId] of [
      [control.send, unknown],
      [control.stranger, id],
    ] as const) {
      expect(await caller(method, `/sandboxes/${sandboxId}${path}`, body)).toMatchObject({
        status: 404,
        body: { code: 404, message: `Sandbox "${sandboxId}" doesn't exist or you don't have access to it` },
      });
    }
    expect(await control.send(method, `/sandboxes/NO%2F..%2Fid${path}`, body)).toMatchObject({
      status: 400,
      body: { code: 400, message: 'Invalid sandbox ID' },
    });
    expect((await control.send('GET', `/sandboxes/${id}`)).body.state).toBe('running');
  });

  test('an id with a client id after it is the same sandbox', async () => {
    const id = await control.create();
    expect((await control.send('GET', `/sandboxes/${id}-6532622b`)).body.sandboxID).toBe(id);
  });

  test('pause and resume: 204, 409, 201, 409', async () => {
    const id = await control.create();
    expect((await control.send('POST', `/sandboxes/${id}/pause`)).status).toBe(204);
    expect(await control.send('POST', `/sandboxes/${id}/pause`, { memory: false })).toMatchObject({
      status: 409,
      body: { message: `Error pausing sandbox - sandbox '${id}' is already paused` },
    });
    expect((await control.send('POST', `/sandboxes/${id}/timeout`, { timeout: 9 })).status).toBe(404);
    expect((await control.send('POST', `/sandboxes/${id}/snapshots`, {})).status).toBe(404);
    expect((await control.send('POST', `/sandboxes/${id}/fork`)).status).toBe(409);
    const resumed = await control.send('POST', `/sandboxes/${id}/resume`);
    expect(resumed).toMatchObject({ status: 201, body: { sandboxID: id } });
    expect(await control.send('POST', `/sandboxes/${id}/resume`, {})).toMatchObject({
      status: 409,
      body: { code: 409, message: `Sandbox ${id} is already running` },
    });
  });

  test('connect: 200 while it runs, 201 when it was paused, once however many ask', async () => {
    const id = await control.create();
    expect((await control.send('POST', `/sandboxes/${id}/connect`)).status).toBe(400);
    expect((await control.send('POST', `/sandboxes/${id}/connect`, { timeout: 5 })).status).toBe(200);
    expect((await control.send('POST', `/v2/sandboxes/${id}/connect`)).status).toBe(200);
    await control.send('POST', `/sandboxes/${id}/pause`);
    const all = await Promise.all(
      [1, 2, 3].map(() => control.send('POST', `/v2/sandboxes/${id}/connect`, { timeout: 50 })),
    );
    expect(all.map(each => each.status).toSorted()).toEqual([200, 200, 201]);
  });

  test('simultaneous kills: one 204, the others 404', async () => {
    const id = await control.create();
    const all = await Promise.all([1, 2, 3].map(() => control.send('DELETE', `/sandboxes/${id}`)));
    expect(all.map(each => each.status).toSorted()).toEqual([204, 404, 404]);
  });

  test('proxy passwords are not given back', async () => {
    const egressProxy = { address: 'proxy.example.com:1080', username: 'u', password: 'p4ss' };
    const id = await control.create({ network: { egressProxy } });
    const reply = await control.send('GET', `/sandboxes/${id}`);
    expect(reply.body.network.egressProxy).toEqual({ address: egressProxy.address, username: 'u' });
  });
});

test('forks past the limit fail one by one, and more than could ever run are refused', async () => {
  const id = await control.create();
  await Promise.all(Array.from({ length: 17 }, () => control.create()));
  const { status, body } = await control.send('POST', `/sandboxes/${id}/fork`, { count: 4, timeout: 60 });
  expect(status).toBe(201);
  expect(body.filter((each: { sandbox?: unknown }) => each.sandbox !== undefined)).toHaveLength(2);
  const errors = body.flatMap((each: { error?: { code: number } }) => each.error ?? []);
  expect(errors).toEqual(
    [1, 2].map(() => ({ code: 429, message: expect.stringMatching(/concurrent E2B sandboxes \(20\)/) })),
  );
  expect((await control.send('POST', `/sandboxes/${id}/fork`, { count: 20 })).status).toBe(400);
});

test('twenty-one creates at once: exactly one is refused, without Retry-After', async () => {
  const all = await Promise.all(
    Array.from({ length: 21 }, () => control.send('POST', '/v2/sandboxes', { templateID: 'base' })),
  );
  const refused = all.filter(each => each.status !== 201);
  expect(refused).toHaveLength(1);
  expect(refused[0]).toMatchObject({ status: 429, body: { code: 429 } });
  expect(refused[0]?.headers.has('retry-after')).toBe(false);
});

test('a kept connection survives the kill of its sandbox', async () => {
  const id = await control.create();
  const socket = connect(control.local.port, '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', chunk => {
    text += chunk;
  });
  const request = `GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n`;
  socket.write(request);
  await expect.poll(() => text.match(/ 204 /g)?.length, PATIENT).toBe(1);
  await control.send('DELETE', `/sandboxes/${id}`);
  socket.write(request);
  await expect.poll(() => text.match(/ 204 /g)?.length, PATIENT).toBe(2);
  socket.destroy();
});
