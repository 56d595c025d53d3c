// The control plane from outside: lists and their pages, metrics and logs, templates, volumes, v1 routes.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeCursor, encodeCursor } from '../../local/control/page.ts';
import { PATIENT, useControl } from './support/control.ts';

const control = useControl();

describe('lists', () => {
  test('v2: limit, next token, total; every sandbox exactly once', async () => {
    const ids = await Promise.all(Array.from({ length: 7 }, () => control.create()));
    await control.send('POST', `/sandboxes/${ids[0]}/pause`);
    for (const order of ['asc', 'desc']) {
      const seen: string[] = [];
      let token: string | null = '';
      const pages: number[] = [];
      while (token !== null) {
        const reply = await control.send(
          'GET',
          `/v2/sandboxes?limit=3&order=${order}&nextToken=${encodeURIComponent(token)}`,
        );
        expect(reply.headers.get('x-total-running')).toBe('6');
        pages.push(reply.body.length);
        seen.push(...reply.body.map((each: { sandboxID: string }) => each.sandboxID));
        token = reply.headers.get('x-next-token');
      }
      expect(pages).toEqual([3, 3, 1]);
      expect(seen.toSorted()).toEqual(ids.toSorted());
    }
    const paused = await control.send('GET', '/v2/sandboxes?state=paused');
    expect(paused.body).toHaveLength(1);
    expect(paused.headers.has('x-total-running')).toBe(false);
    expect((await control.send('GET', '/v2/sandboxes?state=paused,running')).body).toHaveLength(7);
    expect((await control.send('GET', '/v2/sandboxes?state=paused&state=running')).body).toHaveLength(7);
    expect((await control.send('GET', '/sandboxes')).body).toHaveLength(6);
    const later = new Date(Date.now() + 60_000).toISOString();
    expect((await control.send('GET', `/v2/sandboxes?startedAfter=${later}`)).body).toEqual([]);
  });

  test('metadata is encoded twice, in both versions', async () => {
    const id = await control.create({ metadata: { 'a=b': 'x&y', plain: '1' } });
    await control.create({ metadata: { plain: '2' } });
    const pair = (key: string, value: string) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`;
    const filter = encodeURIComponent(encodeURIComponent(`${pair('a=b', 'x&y')}&${pair('plain', '1')}`));
    const once = encodeURIComponent(`${pair('a=b', 'x&y')}`);
    for (const path of ['/sandboxes', '/v2/sandboxes']) {
      for (const query of [filter, encodeURIComponent('plain=1')]) {
        const { body } = await control.send('GET', `${path}?metadata=${query}`);
        expect(body.map((each: { sandboxID: string }) => each.sandboxID)).toEqual([id]);
      }
      expect((await control.send('GET', `${path}?metadata=constructor%3Dx`)).body).toEqual([]);
      // The separators of a value encoded only once are gone after the outer decoding.
      expect((await control.send('GET', `${path}?metadata=${once}`)).status).toBe(400);
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
    const reply = await control.send('GET', `/v2/sandboxes?${query}`);
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
    const [running = '', paused = ''] = [await control.create(), await control.create()];
    await control.send('POST', `/sandboxes/${paused}/pause`);
    const query = `sandbox_ids=${running},${paused},i${'1'.repeat(20)}`;
    const { body } = await control.send('GET', `/sandboxes/metrics?${query}`);
    expect(Object.keys(body.sandboxes)).toEqual([running]);
    expect(body.sandboxes[running]).toMatchObject({
      cpuCount: 2,
      memTotal: 536_870_912,
      timestampUnix: expect.any(Number),
    });
    expect((await control.stranger('GET', `/sandboxes/metrics?${query}`)).body).toEqual({ sandboxes: {} });
    expect((await control.send('GET', '/sandboxes/metrics')).status).toBe(400);
    expect((await control.send('GET', `/sandboxes/metrics?sandbox_ids=${running},${running}`)).status).toBe(400);
    expect((await control.send('GET', `/sandboxes/${running}/metrics?start=2&end=1`)).status).toBe(400);
  });

  test('logs: both versions, with level, search, direction and limit', async () => {
    const id = await control.create();
    const sandbox = control.local.cloud.find(id);
    if (sandbox === undefined) throw new Error('not registered');
    for (const [level, text] of [
      ['debug', 'one'],
      ['warn', 'two'],
      ['error', 'three two'],
    ] as const) {
      control.local.cloud.log(sandbox, level, text, { pid: '7' });
    }
    const messages = async (query: string): Promise<string[]> =>
      (await control.send('GET', `/v2/sandboxes/${id}/logs?${query}`)).body.logs.map(
        (each: { message: string }) => each.message,
      );
    expect(await messages('')).toEqual(['Sandbox started', 'one', 'two', 'three two']);
    expect(await messages('level=warn')).toEqual(['two', 'three two']);
    expect(await messages('search=two&direction=backward&limit=1')).toEqual(['three two']);
    expect((await control.send('GET', `/v2/sandboxes/${id}/logs?limit=1001`)).status).toBe(400);
    const v1 = await control.send('GET', `/sandboxes/${id}/logs?limit=2`);
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
      const { body } = await control.send('GET', path);
      expect(body.map((each: { names: string[] }) => each.names[0]).toSorted()).toEqual([
        'base',
        'code-interpreter-v1',
      ]);
      expect(body[0]).toMatchObject({ public: true, buildStatus: 'ready', spawnCount: 0, lastSpawnedAt: null });
    }
    const alias = await control.send('GET', '/templates/aliases/base');
    expect(alias.body).toEqual({ templateID: 'rki5dems9wqfm4r03t7g', public: true });
    expect((await control.send('GET', `/templates/${alias.body.templateID}`)).body.builds).toHaveLength(1);
    expect((await control.send('GET', '/templates/aliases/nope')).body).toEqual({
      code: 404,
      message: "template 'nope' not found",
    });
    for (const [method, path, body] of [
      ['DELETE', '/templates/base'],
      ['PATCH', '/v2/templates/base', { public: false }],
      ['POST', '/templates/tags', { target: 'base', tags: ['x'] }],
    ] as const) {
      expect((await control.send(method, path, body)).status).toBe(403);
    }
  });

  test('a build waits until it is started; then its tags stand for it', async () => {
    const requested = await control.send('POST', '/v3/templates', { name: 'app:v1', memoryMB: 256 });
    expect(requested).toMatchObject({ status: 202, body: { names: [expect.stringMatching(/\/app$/)], tags: ['v1'] } });
    const { templateID, buildID } = requested.body;
    const status = async () => (await control.send('GET', `/templates/${templateID}/builds/${buildID}/status`)).body;
    expect(await status()).toMatchObject({ status: 'waiting', logs: [] });
    expect((await control.send('POST', '/v2/sandboxes', { templateID: 'app:v1' })).status).toBe(404);

    expect(
      (await control.send('POST', `/v2/templates/${templateID}/builds/${buildID}`, { fromImage: 'x' })).status,
    ).toBe(202);
    await expect.poll(async () => (await status()).status, PATIENT).toBe('ready');
    expect((await status()).logEntries).toMatchObject([{ level: 'warn' }, { level: 'info' }]);
    expect((await control.send('GET', `/templates/${templateID}/builds/${buildID}/logs`)).body.logs).toHaveLength(2);
    await control.create({ templateID: 'app:v1' });
    expect((await control.send('POST', '/v2/sandboxes', { templateID: 'app' })).body.message).toMatch(
      /'app' with tag 'default'/,
    );
    expect((await control.send('GET', `/templates/${templateID}/builds/nope/status`)).status).toBe(400);
    expect((await control.stranger('GET', `/templates/${templateID}`)).status).toBe(404);

    await control.send('PATCH', `/v2/templates/${templateID}`, { public: true });
    expect((await control.stranger('GET', `/templates/${templateID}`)).body).toMatchObject({
      public: true,
      spawnCount: 1,
    });
    expect((await control.stranger('DELETE', `/templates/${templateID}`)).status).toBe(403);
    expect((await control.send('DELETE', `/templates/${templateID}`)).status).toBe(204);
    expect((await control.send('GET', `/templates/${templateID}`)).status).toBe(404);
  });

  test('tags: 201, 204, 400, 404; a snapshot in use by a paused sandbox stays', async () => {
    const id = await control.create();
    const { snapshotID } = (await control.send('POST', `/sandboxes/${id}/snapshots`, { name: 'snap' })).body;
    expect(snapshotID).toMatch(/\/snap:default$/);
    expect((await control.send('POST', '/templates/tags', { target: 'snap', tags: ['a', 'b'] })).status).toBe(201);
    expect((await control.send('POST', '/templates/tags', { target: 'snap:none', tags: ['c'] })).status).toBe(404);
    expect((await control.send('DELETE', '/templates/tags', { name: 'snap', tags: ['a'] })).status).toBe(204);
    expect((await control.send('DELETE', '/templates/tags', { name: 'snap', tags: ['default'] })).status).toBe(400);
    const tags = (await control.send('GET', '/templates/snap/tags')).body.map((each: { tag: string }) => each.tag);
    expect(tags.toSorted()).toEqual(['b', 'default']);
    expect((await control.send('GET', '/templates')).body).toHaveLength(2);

    const child = await control.create({ templateID: snapshotID });
    await control.send('POST', `/sandboxes/${child}/pause`);
    const path = `/templates/${encodeURIComponent(snapshotID)}`;
    expect(await control.send('DELETE', path)).toMatchObject({
      status: 400,
      body: { message: expect.stringMatching(/paused sandboxes using it/) },
    });
    await control.send('DELETE', `/sandboxes/${child}`);
    expect((await control.send('DELETE', path)).status).toBe(204);
    const foreign = { name: 'team-00000000/snap' };
    expect((await control.send('POST', `/sandboxes/${id}/snapshots`, foreign)).status).toBe(400);
  });
});

test('volumes: bad names are 400, unknown ones 404', async () => {
  for (const name of ['', 'a b', 'ü', 7]) expect((await control.send('POST', '/volumes', { name })).status).toBe(400);
  const { status, body } = await control.send('POST', '/volumes', { name: 'v_1-A' });
  expect(status).toBe(201);
  expect((await control.stranger('GET', `/volumes/${body.volumeID}`)).status).toBe(404);
  expect((await control.send('GET', '/volumes')).body).toEqual([{ volumeID: body.volumeID, name: 'v_1-A' }]);
  const mounts = [
    { name: 'v_1-A', path: 'relative' },
    { name: 'v_1-A', path: '/a/../b' },
    { name: 'v_1-A', path: '/ok' },
    { name: 'v_1-A', path: '/ok' },
  ];
  const refused = await control.send('POST', '/v2/sandboxes', { templateID: 'base', volumeMounts: mounts });
  expect(refused.body.message.split('\n')).toHaveLength(4);
});
