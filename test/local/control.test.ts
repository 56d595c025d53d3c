// The control plane from outside, byte by byte: statuses, sentences, headers, pages, bad input, v1 routes.
import { get } from 'node:http';
import { connect } from 'node:net';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { decodeCursor, encodeCursor } from '../../local/control/page.ts';
import type { LocalCloud } from '../../local/server.ts';
import { callerOf, newKey, PATIENT, type Send, startForTest } from './support/control.ts';

let local: LocalCloud;
let send: Send;
let stranger: Send;

beforeEach(async () => {
  local = await startForTest();
  send = callerOf(local);
  stranger = callerOf(local);
});

async function create(body: object = {}, path = '/v2/sandboxes'): Promise<string> {
  const reply = await send('POST', path, { templateID: 'base', ...body });
  expect(reply.status).toBe(201);
  return reply.body.sandboxID;
}

describe('who may call', () => {
  test.each([
    ['no key', { 'x-api-key': '' }, 'authorization header is missing'],
    ['a bearer instead', { 'x-api-key': '', authorization: 'Bearer e2b_00' }, 'authorization header is missing'],
    ['another prefix', { 'x-api-key': 'sk_00' }, /^Invalid API key, please visit .*\nInvalid API key format$/],
    ['not hexadecimal', { 'x-api-key': 'e2b_xyz' }, /^Invalid API key/],
    ['nothing after the prefix', { 'x-api-key': 'e2b_' }, /^Invalid API key/],
  ])('%s: 401', async (_name, headers, message) => {
    const reply = await send('GET', '/v2/sandboxes', undefined, headers);
    expect(reply.status).toBe(401);
    expect(reply.body).toEqual({ code: 401, message: expect.stringMatching(message) });
    expect(reply.headers.get('content-type')).toMatch(/^application\/json/);
  });

  test('health needs no key; routes for other credentials refuse one; the rest is not found', async () => {
    expect((await send('GET', '/health', undefined, { 'x-api-key': '' })).status).toBe(204);
    for (const path of ['/teams', '/api-keys', '/access-tokens', '/admin/teams/x/api-keys', '/nodes']) {
      expect((await send('GET', path)).status).toBe(401);
    }
    expect(await send('GET', '/nowhere')).toMatchObject({ status: 404, body: { code: 404 } });
    expect(await send('POST', '/health')).toMatchObject({ status: 404, body: { code: 404 } });
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
      get(`${local.url}/v2/sandboxes`, { headers }, res => resolve(res.resume().statusCode)).on('error', reject);
    });
    expect(answered).toBe(status);
  });

  test('tokens and keys appear in no list and no log line', async () => {
    const lines: string[] = [];
    const logged = await startForTest({ log: line => lines.push(JSON.stringify(line)) });
    const key = newKey();
    const caller = callerOf(logged, key);
    const { body } = await caller('POST', '/v2/sandboxes', {
      templateID: 'base',
      network: { allowPublicTraffic: false },
    });
    expect(body.envdAccessToken).toMatch(/^[0-9a-f]{64}$/);
    expect(body.trafficAccessToken).not.toBe(body.envdAccessToken);
    const list = await caller('GET', '/v2/sandboxes?metadata=');
    const logs = await caller('GET', `/v2/sandboxes/${body.sandboxID}/logs`);
    await expect.poll(() => lines.length, PATIENT).toBe(3);
    const everything = lines.join() + JSON.stringify(list.body) + JSON.stringify(logs.body);
    for (const secret of [key, key.slice(4), body.envdAccessToken, body.trafficAccessToken]) {
      expect(everything).not.toContain(secret);
    }
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({ method: 'GET', path: '/v2/sandboxes', status: 200 });
  });
});

describe('create', () => {
  test('v1 has 15 s and no envd token unless secure; v2 has 300 s and always one', async () => {
    const v1 = await send('POST', '/sandboxes', { templateID: 'base' });
    expect(v1.body).toEqual({
      templateID: 'rki5dems9wqfm4r03t7g',
      alias: 'base',
      sandboxID: expect.stringMatching(/^i[a-z0-9]{20}$/),
      clientID: expect.any(String),
      envdVersion: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      trafficAccessToken: null,
      domain: `localhost:${local.port}`,
    });
    const secure = await send('POST', '/sandboxes', { templateID: 'base', secure: true });
    const v2 = await send('POST', '/v2/sandboxes', { templateID: 'code-interpreter-v1' });
    expect(secure.body.envdAccessToken).toMatch(/^[0-9a-f]{64}$/);
    expect(v2.body.envdAccessToken).toMatch(/^[0-9a-f]{64}$/);
    for (const [made, seconds] of [
      [v1, 15],
      [v2, 300],
    ] as const) {
      const { body } = await send('GET', `/sandboxes/${made.body.sandboxID}`);
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
      const reply = await send('POST', path, body);
      expect(reply).toMatchObject({ status: 400, body: { code: 400, message: expect.stringMatching(message) } });
    }
    expect((await send('GET', '/v2/sandboxes')).body).toEqual([]);
  });

  test('private traffic needs a secured sandbox', async () => {
    const body = { templateID: 'base', network: { allowPublicTraffic: false } };
    expect(await send('POST', '/sandboxes', body)).toMatchObject({
      status: 400,
      body: { message: expect.stringMatching(/'secure' flag/) },
    });
    expect((await send('POST', '/sandboxes', { ...body, secure: true })).status).toBe(201);
  });

  test('unknown fields are ignored; a body over 16 MiB is not read', async () => {
    await create({ somethingNew: true });
    const metadata = { a: 'x'.repeat(17 * 1024 * 1024) };
    expect((await send('POST', '/sandboxes', { templateID: 'base', metadata })).status).toBe(413);
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

  test.each(routes)('%s %s of nobody or of somebody else: 404', async (method, path, body) => {
    const id = await create();
    for (const [caller, sandboxId] of [
      [send, unknown],
      [stranger, id],
    ] as const) {
      expect(await caller(method, `/sandboxes/${sandboxId}${path}`, body)).toMatchObject({
        status: 404,
        body: { code: 404, message: `Sandbox "${sandboxId}" doesn't exist or you don't have access to it` },
      });
    }
    expect(await send(method, `/sandboxes/NO%2F..%2Fid${path}`, body)).toMatchObject({
      status: 400,
      body: { code: 400, message: 'Invalid sandbox ID' },
    });
    expect((await send('GET', `/sandboxes/${id}`)).body.state).toBe('running');
  });

  test('an id with a client id after it is the same sandbox', async () => {
    const id = await create();
    expect((await send('GET', `/sandboxes/${id}-6532622b`)).body.sandboxID).toBe(id);
  });

  test('pause and resume: 204, 409, 201, 409', async () => {
    const id = await create();
    expect((await send('POST', `/sandboxes/${id}/pause`)).status).toBe(204);
    expect(await send('POST', `/sandboxes/${id}/pause`, { memory: false })).toMatchObject({
      status: 409,
      body: { message: `Error pausing sandbox - sandbox '${id}' is already paused` },
    });
    expect((await send('POST', `/sandboxes/${id}/timeout`, { timeout: 9 })).status).toBe(404);
    expect((await send('POST', `/sandboxes/${id}/snapshots`, {})).status).toBe(404);
    expect((await send('POST', `/sandboxes/${id}/fork`)).status).toBe(409);
    const resumed = await send('POST', `/sandboxes/${id}/resume`);
    expect(resumed).toMatchObject({ status: 201, body: { sandboxID: id } });
    expect(await send('POST', `/sandboxes/${id}/resume`, {})).toMatchObject({
      status: 409,
      body: { code: 409, message: `Sandbox ${id} is already running` },
    });
  });

  test('connect: 200 while it runs, 201 when it was paused, once however many ask', async () => {
    const id = await create();
    expect((await send('POST', `/sandboxes/${id}/connect`)).status).toBe(400);
    expect((await send('POST', `/sandboxes/${id}/connect`, { timeout: 5 })).status).toBe(200);
    expect((await send('POST', `/v2/sandboxes/${id}/connect`)).status).toBe(200);
    await send('POST', `/sandboxes/${id}/pause`);
    const all = await Promise.all([1, 2, 3].map(() => send('POST', `/v2/sandboxes/${id}/connect`, { timeout: 50 })));
    expect(all.map(each => each.status).toSorted()).toEqual([200, 200, 201]);
  });

  test('simultaneous kills: one 204, the others 404', async () => {
    const id = await create();
    const all = await Promise.all([1, 2, 3].map(() => send('DELETE', `/sandboxes/${id}`)));
    expect(all.map(each => each.status).toSorted()).toEqual([204, 404, 404]);
  });

  test('proxy passwords are not given back', async () => {
    const egressProxy = { address: 'proxy.example.com:1080', username: 'u', password: 'p4ss' };
    const id = await create({ network: { egressProxy } });
    const reply = await send('GET', `/sandboxes/${id}`);
    expect(reply.body.network.egressProxy).toEqual({ address: egressProxy.address, username: 'u' });
  });
});

describe('lists', () => {
  test('v2: limit, next token, total; every sandbox exactly once', async () => {
    const ids = await Promise.all(Array.from({ length: 7 }, () => create()));
    await send('POST', `/sandboxes/${ids[0]}/pause`);
    for (const order of ['asc', 'desc']) {
      const seen: string[] = [];
      let token: string | null = '';
      const pages: number[] = [];
      while (token !== null) {
        const reply = await send('GET', `/v2/sandboxes?limit=3&order=${order}&nextToken=${encodeURIComponent(token)}`);
        expect(reply.headers.get('x-total-running')).toBe('6');
        pages.push(reply.body.length);
        seen.push(...reply.body.map((each: { sandboxID: string }) => each.sandboxID));
        token = reply.headers.get('x-next-token');
      }
      expect(pages).toEqual([3, 3, 1]);
      expect(seen.toSorted()).toEqual(ids.toSorted());
    }
    const paused = await send('GET', '/v2/sandboxes?state=paused');
    expect(paused.body).toHaveLength(1);
    expect(paused.headers.has('x-total-running')).toBe(false);
    expect((await send('GET', '/v2/sandboxes?state=paused,running')).body).toHaveLength(7);
    expect((await send('GET', '/v2/sandboxes?state=paused&state=running')).body).toHaveLength(7);
    expect((await send('GET', '/sandboxes')).body).toHaveLength(6);
    const later = new Date(Date.now() + 60_000).toISOString();
    expect((await send('GET', `/v2/sandboxes?startedAfter=${later}`)).body).toEqual([]);
  });

  test('metadata is encoded twice, in both versions', async () => {
    const id = await create({ metadata: { 'a=b': 'x&y', plain: '1' } });
    await create({ metadata: { plain: '2' } });
    const pair = (key: string, value: string) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`;
    const filter = encodeURIComponent(encodeURIComponent(`${pair('a=b', 'x&y')}&${pair('plain', '1')}`));
    const once = encodeURIComponent(`${pair('a=b', 'x&y')}`);
    for (const path of ['/sandboxes', '/v2/sandboxes']) {
      for (const query of [filter, encodeURIComponent('plain=1')]) {
        const { body } = await send('GET', `${path}?metadata=${query}`);
        expect(body.map((each: { sandboxID: string }) => each.sandboxID)).toEqual([id]);
      }
      expect((await send('GET', `${path}?metadata=constructor%3Dx`)).body).toEqual([]);
      // The separators of a value encoded only once are gone after the outer decoding.
      expect((await send('GET', `${path}?metadata=${once}`)).status).toBe(400);
    }
  });

  test.each([
    ['limit=0', /^validation error: parameter "limit" in query has an error: number must be at least 1/],
    ['limit=101', /number must be at most 100/],
    ['limit=ten', /value must be an integer/],
    ['state=stopped', /parameter "state" in query/],
    ['order=up', /parameter "order" in query/],
    ['startedAfter=yesterday', /parameter "startedAfter" in query/],
    ['nextToken=%21%21', /^Invalid next token$/],
    ['metadata=a', /^Error parsing metadata$/],
    ['metadata=a%3D%2525', /^Error parsing metadata$/],
  ])('%s: 400', async (query, message) => {
    const reply = await send('GET', `/v2/sandboxes?${query}`);
    expect(reply).toMatchObject({ status: 400, body: { code: 400, message: expect.stringMatching(message) } });
  });

  test('a cursor comes back as it was; any other text is refused', () => {
    const position = fc.record({
      timeMs: fc.integer({ min: 0, max: 4e12 }),
      id: fc.stringMatching(/^[a-z0-9]{1,20}$/),
    });
    const order = fc.constantFrom('asc' as const, 'desc' as const);
    fc.assert(
      fc.property(position, order, (at, direction) => {
        const token = encodeCursor(at, direction);
        expect(decodeCursor(token, direction)).toEqual(at);
        expect(() => decodeCursor(token, direction === 'asc' ? 'desc' : 'asc')).toThrow('Invalid next token');
      }),
    );
    fc.assert(
      fc.property(fc.string(), text => {
        fc.pre(!/^\S+__\S/.test(Buffer.from(text, 'base64url').toString()));
        expect(() => decodeCursor(text, 'desc')).toThrow('Invalid next token');
      }),
    );
  });
});

describe('telemetry', () => {
  test('metrics of many: the latest of what runs and is ours', async () => {
    const [running = '', paused = ''] = [await create(), await create()];
    await send('POST', `/sandboxes/${paused}/pause`);
    const query = `sandbox_ids=${running},${paused},i${'1'.repeat(20)}`;
    const { body } = await send('GET', `/sandboxes/metrics?${query}`);
    expect(Object.keys(body.sandboxes)).toEqual([running]);
    expect(body.sandboxes[running]).toMatchObject({
      cpuCount: 2,
      memTotal: 536_870_912,
      timestampUnix: expect.any(Number),
    });
    expect((await stranger('GET', `/sandboxes/metrics?${query}`)).body).toEqual({ sandboxes: {} });
    expect((await send('GET', '/sandboxes/metrics')).status).toBe(400);
    expect((await send('GET', `/sandboxes/metrics?sandbox_ids=${running},${running}`)).status).toBe(400);
    expect((await send('GET', `/sandboxes/${running}/metrics?start=2&end=1`)).status).toBe(400);
  });

  test('logs: both versions, with level, search, direction and limit', async () => {
    const id = await create();
    const sandbox = local.cloud.find(id);
    if (sandbox === undefined) throw new Error('not registered');
    for (const [level, text] of [
      ['debug', 'one'],
      ['warn', 'two'],
      ['error', 'three two'],
    ] as const) {
      local.cloud.log(sandbox, level, text, { pid: '7' });
    }
    const messages = async (query: string): Promise<string[]> =>
      (await send('GET', `/v2/sandboxes/${id}/logs?${query}`)).body.logs.map(
        (each: { message: string }) => each.message,
      );
    expect(await messages('')).toEqual(['Sandbox started', 'one', 'two', 'three two']);
    expect(await messages('level=warn')).toEqual(['two', 'three two']);
    expect(await messages('search=two&direction=backward&limit=1')).toEqual(['three two']);
    expect((await send('GET', `/v2/sandboxes/${id}/logs?limit=1001`)).status).toBe(400);
    const v1 = await send('GET', `/sandboxes/${id}/logs?limit=2`);
    expect(v1.body.logs).toEqual([
      expect.objectContaining({ line: expect.stringContaining('"message":"Sandbox started"') }),
      expect.objectContaining({ line: expect.stringContaining('"message":"one"') }),
    ]);
    for (const { line } of v1.body.logs) expect(JSON.parse(line)).toMatchObject({ logger: 'sandbox' });
    expect(v1.body.logEntries[1]).toMatchObject({ level: 'debug', fields: { pid: '7' } });
  });
});

describe('templates', () => {
  test('the built-in ones are listed for all, found by id and alias, changed by none', async () => {
    for (const path of ['/templates', '/v2/templates']) {
      const { body } = await send('GET', path);
      expect(body.map((each: { names: string[] }) => each.names[0]).toSorted()).toEqual([
        'base',
        'code-interpreter-v1',
      ]);
      expect(body[0]).toMatchObject({ public: true, buildStatus: 'ready', spawnCount: 0, lastSpawnedAt: null });
    }
    const alias = await send('GET', '/templates/aliases/base');
    expect(alias.body).toEqual({ templateID: 'rki5dems9wqfm4r03t7g', public: true });
    expect((await send('GET', `/templates/${alias.body.templateID}`)).body.builds).toHaveLength(1);
    expect((await send('GET', '/templates/aliases/nope')).body).toEqual({
      code: 404,
      message: "template 'nope' not found",
    });
    for (const [method, path, body] of [
      ['DELETE', '/templates/base'],
      ['PATCH', '/v2/templates/base', { public: false }],
      ['POST', '/templates/tags', { target: 'base', tags: ['x'] }],
    ] as const) {
      expect((await send(method, path, body)).status).toBe(403);
    }
  });

  test('a build waits until it is started; then its tags stand for it', async () => {
    const requested = await send('POST', '/v3/templates', { name: 'app:v1', memoryMB: 256 });
    expect(requested).toMatchObject({ status: 202, body: { names: [expect.stringMatching(/\/app$/)], tags: ['v1'] } });
    const { templateID, buildID } = requested.body;
    const status = async () => (await send('GET', `/templates/${templateID}/builds/${buildID}/status`)).body;
    expect(await status()).toMatchObject({ status: 'waiting', logs: [] });
    expect((await send('POST', '/v2/sandboxes', { templateID: 'app:v1' })).status).toBe(404);

    expect((await send('POST', `/v2/templates/${templateID}/builds/${buildID}`, { fromImage: 'x' })).status).toBe(202);
    await expect.poll(async () => (await status()).status, PATIENT).toBe('ready');
    expect((await status()).logEntries).toMatchObject([{ level: 'warn' }, { level: 'info' }]);
    expect((await send('GET', `/templates/${templateID}/builds/${buildID}/logs`)).body.logs).toHaveLength(2);
    await create({ templateID: 'app:v1' });
    expect((await send('POST', '/v2/sandboxes', { templateID: 'app' })).body.message).toMatch(
      /'app' with tag 'default'/,
    );
    expect((await send('GET', `/templates/${templateID}/builds/nope/status`)).status).toBe(404);
    expect((await stranger('GET', `/templates/${templateID}`)).status).toBe(404);

    await send('PATCH', `/v2/templates/${templateID}`, { public: true });
    expect((await stranger('GET', `/templates/${templateID}`)).body).toMatchObject({ public: true, spawnCount: 1 });
    expect((await stranger('DELETE', `/templates/${templateID}`)).status).toBe(403);
    expect((await send('DELETE', `/templates/${templateID}`)).status).toBe(204);
    expect((await send('GET', `/templates/${templateID}`)).status).toBe(404);
  });

  test('tags: 201, 204, 400, 404; a snapshot in use by a paused sandbox stays', async () => {
    const id = await create();
    const { snapshotID } = (await send('POST', `/sandboxes/${id}/snapshots`, { name: 'snap' })).body;
    expect(snapshotID).toMatch(/\/snap:default$/);
    expect((await send('POST', '/templates/tags', { target: 'snap', tags: ['a', 'b'] })).status).toBe(201);
    expect((await send('POST', '/templates/tags', { target: 'snap:none', tags: ['c'] })).status).toBe(404);
    expect((await send('DELETE', '/templates/tags', { name: 'snap', tags: ['a'] })).status).toBe(204);
    expect((await send('DELETE', '/templates/tags', { name: 'snap', tags: ['default'] })).status).toBe(400);
    const tags = (await send('GET', '/templates/snap/tags')).body.map((each: { tag: string }) => each.tag);
    expect(tags.toSorted()).toEqual(['b', 'default']);
    expect((await send('GET', '/templates')).body).toHaveLength(2);

    const child = await create({ templateID: snapshotID });
    await send('POST', `/sandboxes/${child}/pause`);
    const path = `/templates/${encodeURIComponent(snapshotID)}`;
    expect(await send('DELETE', path)).toMatchObject({
      status: 400,
      body: { message: expect.stringMatching(/paused sandboxes using it/) },
    });
    await send('DELETE', `/sandboxes/${child}`);
    expect((await send('DELETE', path)).status).toBe(204);
    const foreign = { name: 'team-00000000/snap' };
    expect((await send('POST', `/sandboxes/${id}/snapshots`, foreign)).status).toBe(400);
  });
});

test('forks past the limit fail one by one, and more than could ever run are refused', async () => {
  const id = await create();
  await Promise.all(Array.from({ length: 17 }, () => create()));
  const { status, body } = await send('POST', `/sandboxes/${id}/fork`, { count: 4, timeout: 60 });
  expect(status).toBe(201);
  expect(body.filter((each: { sandbox?: unknown }) => each.sandbox !== undefined)).toHaveLength(2);
  const errors = body.flatMap((each: { error?: { code: number } }) => each.error ?? []);
  expect(errors).toEqual(
    [1, 2].map(() => ({ code: 429, message: expect.stringMatching(/concurrent E2B sandboxes \(20\)/) })),
  );
  expect((await send('POST', `/sandboxes/${id}/fork`, { count: 20 })).status).toBe(400);
});

test('twenty-one creates at once: exactly one is refused, without Retry-After', async () => {
  const all = await Promise.all(
    Array.from({ length: 21 }, () => send('POST', '/v2/sandboxes', { templateID: 'base' })),
  );
  const refused = all.filter(each => each.status !== 201);
  expect(refused).toHaveLength(1);
  expect(refused[0]).toMatchObject({ status: 429, body: { code: 429 } });
  expect(refused[0]?.headers.has('retry-after')).toBe(false);
});

test('volumes: bad names are 400, unknown ones 404', async () => {
  for (const name of ['', 'a b', 'ü', 7]) expect((await send('POST', '/volumes', { name })).status).toBe(400);
  const { status, body } = await send('POST', '/volumes', { name: 'v_1-A' });
  expect(status).toBe(201);
  expect((await stranger('GET', `/volumes/${body.volumeID}`)).status).toBe(404);
  expect((await send('GET', '/volumes')).body).toEqual([{ volumeID: body.volumeID, name: 'v_1-A' }]);
  const mounts = [
    { name: 'v_1-A', path: 'relative' },
    { name: 'v_1-A', path: '/a/../b' },
    { name: 'v_1-A', path: '/ok' },
    { name: 'v_1-A', path: '/ok' },
  ];
  const refused = await send('POST', '/v2/sandboxes', { templateID: 'base', volumeMounts: mounts });
  expect(refused.body.message.split('\n')).toHaveLength(4);
});

test('a kept connection survives the kill of its sandbox', async () => {
  const id = await create();
  const socket = connect(local.port, '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', chunk => {
    text += chunk;
  });
  const request = `GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n`;
  socket.write(request);
  await expect.poll(() => text.match(/ 204 /g)?.length, PATIENT).toBe(1);
  await send('DELETE', `/sandboxes/${id}`);
  socket.write(request);
  await expect.poll(() => text.match(/ 204 /g)?.length, PATIENT).toBe(2);
  socket.destroy();
});
