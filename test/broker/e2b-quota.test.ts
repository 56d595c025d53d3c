// The limit on sandboxes of a key, for every way to create one, and the mark on sandboxes that a run creates.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { REQUEST_TAG } from '../../src/broker/e2b/quota.ts';
import { startDataPlane, type TestDataPlane } from '../support/data-plane.ts';

type Made = { sandboxId: string };
let plane: TestDataPlane;
afterEach(() => plane.close());

const create = async (run: ReturnType<TestDataPlane['openRun']>): Promise<Made> => {
  const { sandboxId } = await run.call<Made>('Sandbox.create', {});
  return { sandboxId };
};
const post = (path: string, body?: unknown) => ({ method: 'POST', path, ...(body !== undefined && { body }) });

describe('with a limit of two', () => {
  const ways: readonly [string, (sandboxId: string) => readonly [string, unknown]][] = [
    ['Sandbox.create', () => ['Sandbox.create', {}]],
    ['Sandbox.fork', sandboxId => ['Sandbox.fork', { sandboxId }]],
    ['POST /sandboxes', () => ['api.request', post('/sandboxes', { templateID: 'base' })]],
    ['POST /v2/sandboxes', () => ['api.request', post('/v2/sandboxes', { templateID: 'base' })]],
    ['a path in another spelling', () => ['api.request', post('/v2/./%73andboxes/', { templateID: 'base' })]],
    [
      'a raw body',
      () => [
        'api.request',
        { ...post('/v2/sandboxes'), contentType: 'application/json', rawBody: '{"templateID":"base"}' },
      ],
    ],
    ['POST …/fork', sandboxId => ['api.request', post(`/sandboxes/${sandboxId}/fork`, {})]],
    ['JSON text as body', () => ['api.request', post('/v2/sandboxes', '{"templateID":"base"}')]],
  ];

  it.each(ways)('a third sandbox is refused: %s', async (_title, ask) => {
    plane = await startDataPlane({ maxSandboxesPerKey: 2 });
    const run = plane.openRun();
    const [first] = await Promise.all([create(run), create(run)]);
    const refused = await run.refusal(...ask(first.sandboxId));
    expect(refused).toMatchObject({ code: 'sandbox_limit', message: expect.stringMatching(/2 sandboxes running/) });
    expect(run.ledger.at(-1)).toMatchObject({ status: 'refused' });
    expect(plane.cloud.cloud.all()).toHaveLength(2);
    await run.call('Sandbox.kill', first);
    await run.call('Sandbox.create', {});
    expect(await plane.openRun().call('Sandbox.create', {})).toMatchObject({ sandboxId: expect.stringMatching(/^i/) }); // another key's
  });

  it('concurrent creations count each other', async () => {
    plane = await startDataPlane({ maxSandboxesPerKey: 2 });
    const run = plane.openRun();
    await Promise.all(Array.from({ length: 6 }, () => run.reply('Sandbox.create', {})));
    expect(plane.cloud.cloud.all().length).toBeLessThanOrEqual(2);
    expect(plane.cloud.cloud.all().length).toBeGreaterThan(0);
    expect(
      await run.refusal('Sandbox.fork', { sandboxId: plane.cloud.cloud.all()[0]?.sandboxId, opts: { count: 2 } }),
    ).toMatchObject({
      code: 'sandbox_limit',
    });
  });

  it('concurrent creations in several runs of a key count each other', async () => {
    plane = await startDataPlane({ maxSandboxesPerKey: 2 });
    const { key } = plane.openRun();
    const runs = Array.from({ length: 8 }, () => plane.openRun({ key }));
    const replies = await Promise.all(runs.map(run => run.reply('Sandbox.create', {})));
    expect(replies.filter(({ ok }) => ok)).toHaveLength(2);
    expect(plane.cloud.cloud.all()).toHaveLength(2);
    expect(await plane.openRun().call('Sandbox.create', {})).toMatchObject({ sandboxId: expect.stringMatching(/^i/) }); // another key's
    const ids = plane.cloud.cloud.all().map(({ sandboxId }) => ({ sandboxId }));
    await Promise.all(ids.map(id => plane.openRun({ key }).reply('Sandbox.kill', id)));
    await Promise.all([1, 2].map(() => plane.openRun({ key }).call('Sandbox.create', {}))); // nothing stays counted
  });

  it('a creation that E2B lists before it has ended is counted once', async () => {
    let answer = (): void => undefined;
    const held = new Promise<void>(resolve => (answer = resolve));
    const intercept = async (request: IncomingMessage, response: ServerResponse) => {
      if (request.method !== 'POST') return false;
      const end = response.end.bind(response) as (...args: unknown[]) => void;
      response.end = (...args: unknown[]) => {
        void held.then(() => end(...args));
        return response;
      };
      return false;
    };
    plane = await startDataPlane({ maxSandboxesPerKey: 2, cloud: { intercept } });
    const { cloud, requests, openRun } = plane;
    const run = openRun();
    const first = create(run);
    await expect.poll(() => cloud.cloud.all()).toHaveLength(1);
    const second = create(run);
    const counts = () => requests.filter(each => each === 'GET /v2/sandboxes').length;
    await expect.poll(counts).toBe(2);
    const third = run.reply('Sandbox.create', {});
    await expect.poll(counts).toBe(3);
    answer();
    await Promise.all([first, second]);
    expect(await third).toMatchObject({ ok: false, error: { code: 'sandbox_limit' } });
  });

  it('a creation that fails leaves its place to a later one', async () => {
    plane = await startDataPlane({ maxSandboxesPerKey: 1 });
    const { openRun } = plane;
    const run = openRun();
    const [failed, made] = await Promise.all([
      run.reply('Sandbox.create', { template: 'does-not-exist' }),
      run.reply('Sandbox.create', {}),
    ]);
    expect([failed.ok, made.ok]).toEqual([false, true]);
  });

  it.each([
    ['an object', { count: 2 }],
    ['JSON text', '{"count":2}'],
    ['another letter case', { Count: 2 }],
  ])('a fork counts the number of new sandboxes: %s', async (_title, body) => {
    plane = await startDataPlane({ maxSandboxesPerKey: 2 });
    const run = plane.openRun();
    const { sandboxId } = await create(run);
    const fork = { ...post(`/sandboxes/${sandboxId}/fork`, body), unchecked: true };
    expect((await run.refusal('api.request', fork)).code).toBe('sandbox_limit');
    const one = { ...post(`/sandboxes/${sandboxId}/fork`, '{"count":1}'), unchecked: true };
    expect(await run.call('api.request', one)).toMatchObject({ status: 201 });
  });

  it('a sandbox that was paused without the SDK cannot be resumed as the third', async () => {
    plane = await startDataPlane({ maxSandboxesPerKey: 2 });
    const run = plane.openRun();
    const paused = await create(run);
    await run.call('api.request', post(`/sandboxes/${paused.sandboxId}/pause`, {}));
    await Promise.all([create(run), create(run)]);
    expect((await run.refusal('Sandbox.connect', paused)).code).toBe('sandbox_limit');
    const resume = { ...post(`/sandboxes/${paused.sandboxId}/resume`, { timeout: 60 }), unchecked: true };
    expect((await run.refusal('api.request', resume)).code).toBe('sandbox_limit');
  });

  it('a paused sandbox does not count, but cannot be resumed as the third', async () => {
    plane = await startDataPlane({ maxSandboxesPerKey: 2 });
    const run = plane.openRun();
    const paused = await create(run);
    await run.call('Sandbox.pause', paused);
    const running = await create(run);
    const last = await create(run);
    const { sandboxId } = paused;
    for (const path of [`/v2/sandboxes/${sandboxId}/connect`, `/sandboxes/${sandboxId}/resume`]) {
      expect((await run.refusal('api.request', { ...post(path, { timeout: 60 }), unchecked: true })).code).toBe(
        'sandbox_limit',
      );
    }
    expect((await run.refusal('Sandbox.connect', paused)).code).toBe('sandbox_limit');
    expect(await run.call('Sandbox.connect', running)).toMatchObject(running);
    await run.call('Sandbox.kill', last);
    expect(await run.call('Sandbox.connect', paused)).toMatchObject(paused);
    expect(await run.call('Sandbox.isRunning', paused)).toBe(true);
  });
});

it('every sandbox that a run creates is marked with the request id, and is killed on timeout', async () => {
  plane = await startDataPlane();
  const run = plane.openRun();
  await run.call('Sandbox.create', { opts: { metadata: { mine: '1' } } });
  await run.call('api.request', post('/v2/sandboxes', { templateID: 'base', metadata: { mine: '1' } }));
  await run.call('api.request', post('/sandboxes', { templateID: 'base', metadata: { mine: '1' } }));
  const asText = JSON.stringify({ templateID: 'base', metadata: { mine: '1' } });
  await run.call('api.request', post('/v2/sandboxes', asText));
  await run.call('api.request', { ...post('/v2/sandboxes'), contentType: 'application/json', rawBody: asText });
  const marked = { query: { metadata: { [REQUEST_TAG]: 'request-1', mine: '1' } } };
  const { items } = await run.call<{ items: Made[] }>('Sandbox.list', { opts: marked });
  expect(items).toHaveLength(5);
  const [made] = await Promise.all(items.map(item => run.call('Sandbox.getInfo', { sandboxId: item.sandboxId })));
  // The agent sees its own metadata, but not the gateway's.
  expect([...items, made]).toEqual([...items, made].map(() => expect.objectContaining({ metadata: { mine: '1' } })));
  const { data } = await run.call<{ data: Made[] }>('api.request', { method: 'GET', path: '/v2/sandboxes' });
  expect(JSON.stringify(data)).not.toContain(REQUEST_TAG);
  expect(made).toMatchObject({ lifecycle: { onTimeout: 'kill' } });
});

it('lists page by page', async () => {
  plane = await startDataPlane();
  const run = plane.openRun();
  await Promise.all(Array.from({ length: 3 }, () => run.call('Sandbox.create', {})));
  const first = await run.call<{ items: Made[]; nextToken: string }>('Sandbox.list', { opts: { limit: 2 } });
  const rest = await run.call<{ items: Made[]; nextToken?: string }>('Sandbox.list', {
    opts: { limit: 2, nextToken: first.nextToken },
  });
  expect([first.items.length, rest.items.length, rest.nextToken]).toEqual([2, 1, undefined]);
});

it('secrets in network rules are masked in responses', async () => {
  plane = await startDataPlane();
  const run = plane.openRun();
  const network = { rules: { 'api.example': [{ transform: { headers: { authorization: 'Bearer s3cret' } } }] } };
  const { sandboxId } = await run.call<Made>('Sandbox.create', { opts: { network } });
  const info = await run.call('Sandbox.getInfo', { sandboxId });
  expect(info).toMatchObject({ network: { rules: { 'api.example': [{}] } } });
  expect(JSON.stringify(info)).not.toContain('s3cret');
});
