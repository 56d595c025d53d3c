import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BrokerOptions, type Capability, createBroker } from '../../src/broker/broker.ts';
import type { BrokerLimits } from '../../src/broker/budget.ts';
import { createRequestCapability } from '../../src/broker/request.ts';
import type { GuestReply } from '../../src/engine/engine.ts';
import { GatewayError } from '../../src/errors.ts';
import { Origin } from '../../src/ground/origin.ts';
import { principalFromKey } from '../../src/principal.ts';
import { Answers } from '../../src/upstream/answers.ts';
import { createUpstreamClient, type UpstreamClient } from '../../src/upstream/client.ts';
import { createOperations } from '../../src/upstream/operations.ts';
import { description } from '../support/description.ts';
import { BROKER_LIMITS, sharedLimits } from '../support/limits.ts';
import { sendJson, startUpstream, type TestUpstream } from '../support/upstream.ts';

const apiKey = `e2b_${randomBytes(20).toString('hex')}`;
const principal = principalFromKey(apiKey);
const operations = createOperations(description);

let upstream: TestUpstream;
let origin: Origin;
let client: UpstreamClient;
const answers = new Answers();
afterAll(() => answers.close());
let run: AbortController;
beforeEach(async () => {
  upstream = await startUpstream();
  origin = new Origin(upstream.url);
  client = createUpstreamClient(origin, { retryDelayMs: 1 });
  run = new AbortController();
});
afterEach(async () => {
  run.abort();
  await origin.close();
  await upstream.close();
});

type Options = Partial<Omit<BrokerOptions, 'limits'>> & { limits?: Partial<BrokerLimits> };

function start({ limits, ...options }: Options = {}) {
  const api = createRequestCapability({ client, answers, operations: () => operations });
  const broker = createBroker({
    principal,
    mode: 'write',
    capabilities: { 'api.request': api },
    signal: run.signal,
    limits: { ...BROKER_LIMITS, ...limits },
    ...sharedLimits(),
    ...options,
  });
  const call = (args: unknown, capability = 'api.request', signal = run.signal) =>
    broker.callHost({ capability, argsJson: JSON.stringify(args) }, signal);
  return { ...broker, call };
}
const value = (reply: GuestReply) => {
  if (!reply.ok) throw new Error(`${reply.error.code}: ${reply.error.message}`);
  return JSON.parse(reply.json);
};
const list = { path: '/v2/sandboxes' };
const create = { method: 'POST', path: '/sandboxes', body: { templateID: 'base' } };

describe('api.request', () => {
  test('answers status, ok, chosen headers and data', async () => {
    upstream.answer = (_, response) =>
      sendJson(response, [{ sandboxID: 'i1' }], 200, { 'x-total-running': '1', 'x-next-token': 'n', server: 's' });
    const { call, ledger } = start();
    expect(value(await call({ ...list, query: { nextToken: 'q' } }))).toEqual({
      status: 200,
      ok: true,
      headers: { 'content-type': 'application/json', 'x-total-running': '1', 'x-next-token': 'n' },
      data: [{ sandboxID: 'i1' }],
    });
    expect(upstream.heard[0]?.headers['x-api-key']).toBe(apiKey);
    expect(ledger).toEqual([
      { label: 'GET /v2/sandboxes', write: false, act: { effect: 'lists' }, status: 200, ms: expect.any(Number) },
    ]);
  });

  test('non-2xx does not throw; garbage is a string; nothing is null', async () => {
    upstream.answer = (_, response, count) => {
      if (count === 1) sendJson(response, { code: 404, message: 'no such sandbox' }, 404);
      else if (count === 2) response.writeHead(500, { 'content-type': 'text/html' }).end('<h1>"oops"</h1>');
      else response.writeHead(204).end();
    };
    const { call, ledger } = start();
    expect(value(await call({ path: '/sandboxes/i1' }))).toMatchObject({
      status: 404,
      ok: false,
      data: { message: 'no such sandbox' },
    });
    expect(value(await call(create))).toMatchObject({ status: 500, ok: false, data: '<h1>"oops"</h1>' });
    expect(value(await call({ method: 'DELETE', path: '/sandboxes/i1' }))).toMatchObject({
      status: 204,
      ok: true,
      data: null,
    });
    expect(ledger.map(({ label, status, write }) => [label, status, write])).toEqual([
      ['GET /sandboxes/i1', 404, false],
      ['POST /sandboxes', 500, true],
      ['DELETE /sandboxes/i1', 204, true],
    ]);
  });

  test('secrets and the own key never reach the guest', async () => {
    upstream.answer = (_, response) =>
      sendJson(response, { envdAccessToken: 'x-secret', sessionCode: 'x-secret', echo: apiKey }, 200, {
        'x-next-token': apiKey,
      });
    const reply = await start().call({ path: '/sandboxes/i1' });
    expect(JSON.stringify(reply)).not.toMatch(new RegExp(`x-secret|${apiKey.slice(4)}`));
    expect(value(reply).data).toMatchObject({ envdAccessToken: '[redacted]' });
  });

  test('refusals send nothing and reply with name, code and a hint', async () => {
    const { call, ledger } = start({ mode: 'read' });
    expect(await call({ path: '/sandboxes/%2e%2e/teams?secret=1' })).toEqual({
      ok: false,
      error: { name: 'GatewayError', code: 'path_refused', message: expect.stringMatching(/never reachable/) },
    });
    expect(await call(create)).toMatchObject({
      error: { code: 'method_refused', message: expect.stringMatching(/execute_write/) },
    });
    expect(await call({ path: '//x' })).toMatchObject({ error: { code: 'path_invalid' } });
    expect(await call(null)).toMatchObject({ error: { code: 'request_invalid' } });
    expect(upstream.heard).toEqual([]);
    expect(ledger.map(({ label, status, code }) => [label, status, code])).toEqual([
      ['GET /teams', 'refused', 'path_refused'],
      ['POST /sandboxes', 'refused', 'method_refused'],
      ['api.request', 'refused', 'path_invalid'],
      ['api.request', 'refused', 'request_invalid'],
    ]);
  });
});

describe('calls that are none', () => {
  test('an unknown capability, arguments that are not JSON', async () => {
    const { call, callHost, ledger } = start();
    expect(await call({}, 'fs.readFile')).toMatchObject({
      error: { code: 'capability_unknown', message: expect.stringMatching(/api\.request/) },
    });
    expect(await call({}, '__proto__')).toMatchObject({ error: { code: 'capability_unknown' } });
    expect(await callHost({ capability: 'api.request', argsJson: '{' }, run.signal)).toMatchObject({
      error: { code: 'request_invalid' },
    });
    expect(ledger.map(({ status }) => status)).toEqual(['refused', 'refused', 'refused']);
  });

  test('a fault of ours is logged with its cause; the guest sees none of it', async () => {
    const logged: unknown[] = [];
    const broken: Capability = () => Promise.reject(new TypeError('db password is hunter2'));
    const { call, ledger } = start({
      capabilities: { broken },
      requestId: 'r1',
      log: { error: fields => logged.push(fields) },
    });
    const reply = await call({}, 'broken');
    expect(reply).toMatchObject({ ok: false, error: { name: 'GatewayError', code: 'internal' } });
    expect(JSON.stringify(reply)).not.toContain('hunter2');
    expect(logged).toEqual([
      { err: expect.objectContaining({ message: 'db password is hunter2' }), capability: 'broken', reqId: 'r1' },
    ]);
    expect(ledger).toMatchObject([{ label: 'broken', status: 'failed', code: 'internal' }]);
  });
});

describe('budgets', () => {
  test('calls, refused ones included; the flood beyond leaves one line', async () => {
    const { call, ledger } = start({ limits: { maxCalls: 3 } });
    await call(list);
    await call({ path: '/teams' });
    await call(list);
    for (let i = 0; i < 50; i++) expect(await call(list)).toMatchObject({ error: { code: 'budget_exceeded' } });
    expect(ledger.map(({ status }) => status)).toEqual([200, 'refused', 200, 'refused']);
    expect(upstream.heard).toHaveLength(2);
  });

  test('so many at a time, the rest in order', async () => {
    let open = 0;
    let most = 0;
    const order: unknown[] = [];
    const slow: Capability = async args => {
      most = Math.max(most, ++open);
      order.push(args);
      await new Promise(resolve => setImmediate(resolve));
      open--;
      return 'null';
    };
    const { call } = start({ capabilities: { slow }, limits: { maxParallelCalls: 8 } });
    await Promise.all(Array.from({ length: 40 }, (_, index) => call(index, 'slow')));
    expect(most).toBe(8);
    expect(order).toEqual(Array.from({ length: 40 }, (_, index) => index));
  });

  test('request bodies', async () => {
    const { call, ledger } = start({ limits: { maxRequestBytes: 100 } });
    const big = { ...create, body: { templateID: 'é'.repeat(60) } };
    expect(await call(big)).toMatchObject({
      error: { code: 'budget_exceeded', message: expect.stringMatching(/100 are allowed/) },
    });
    expect(ledger).toMatchObject([
      { label: 'POST /sandboxes', write: true, status: 'refused', code: 'budget_exceeded' },
    ]);
    expect(upstream.heard).toEqual([]);
  });

  test('one answer, and all answers', async () => {
    upstream.answer = (_, response, count) => sendJson(response, 'x'.repeat(count === 1 ? 2000 : 900));
    const { call, ledger } = start({ limits: { maxAnswerBytes: 1000, maxRunAnswerBytes: 4000 } });
    expect(await call(create)).toMatchObject({ error: { code: 'answer_too_large' } });
    const replies = [];
    for (let i = 0; i < 5; i++) replies.push(await call(list));
    expect(replies.at(-1)).toMatchObject({ ok: false, error: { code: 'budget_exceeded' } });
    expect(ledger[0]).toMatchObject({ write: true, status: 200, code: 'answer_too_large' });
    expect(ledger.at(-1)).toMatchObject({ status: 200, code: 'budget_exceeded' });
  });

  test('answers of capabilities that do not count for themselves', async () => {
    const wide: Capability = () => Promise.resolve(JSON.stringify('x'.repeat(2000)));
    const { call } = start({ capabilities: { wide }, limits: { maxAnswerBytes: 1000 } });
    expect(await call({}, 'wide')).toMatchObject({ error: { code: 'answer_too_large' } });
  });
});

describe('the ledger is honest', () => {
  test('when the run ends: writes unknown, reads failed, waiting calls refused, at once', async () => {
    upstream.answer = () => {};
    const told: string[] = [];
    const { call, ledger } = start({
      limits: { maxParallelCalls: 2 },
      onCall: entry => told.push(entry.label),
    });
    const replies = [
      call(create),
      call({ path: '/sandboxes/i1' }),
      call({ ...create, path: '/sandboxes/i1/pause', body: undefined }),
    ];
    await upstream.hears(2);
    expect(ledger.map(({ status }) => status)).toEqual(['unknown', 'failed', 'refused']);
    run.abort();
    expect(told).toHaveLength(3);
    const atEnd = ledger.map(({ label, status, code }) => [label, status, code]);
    expect(atEnd).toEqual([
      ['POST /sandboxes', 'unknown', 'cancelled'],
      ['GET /sandboxes/i1', 'failed', 'cancelled'],
      ['api.request', 'refused', 'cancelled'],
    ]);
    for (const reply of await Promise.all(replies))
      expect(reply).toMatchObject({ ok: false, error: { code: 'cancelled' } });
    expect(ledger.map(({ label, status, code }) => [label, status, code])).toEqual(atEnd);
    expect(told).toHaveLength(3);
    expect(upstream.heard).toHaveLength(2);
  });

  test("the call's own signal counts too; later calls are not made", async () => {
    upstream.answer = () => {};
    const { call, ledger } = start();
    const own = new AbortController();
    const reply = call(create, 'api.request', own.signal);
    await upstream.hears(1);
    own.abort();
    expect(await reply).toMatchObject({ error: { code: 'cancelled' } });
    expect(await call(list, 'api.request', own.signal)).toMatchObject({ error: { code: 'cancelled' } });
    expect(ledger).toMatchObject([{ label: 'POST /sandboxes', status: 'unknown', code: 'cancelled' }]);
    expect(upstream.heard).toHaveLength(1);
  });

  test('a write whose answer is lost is unknown, one that never left has failed', async () => {
    upstream.answer = (_, response) => response.destroy();
    const { call, ledger } = start();
    expect(await call(create)).toMatchObject({ error: { code: 'upstream_unreachable' } });
    await upstream.close();
    expect(await call(create)).toMatchObject({ error: { code: 'upstream_unreachable' } });
    expect(ledger.map(({ status, code }) => [status, code])).toEqual([
      ['unknown', 'upstream_unreachable'],
      ['failed', 'upstream_unreachable'],
    ]);
  });

  test('no answer in time', async () => {
    upstream.answer = () => {};
    const { call, ledger } = start({ limits: { callTimeoutMs: 100 } });
    expect(await call(create)).toMatchObject({ error: { code: 'upstream_timeout' } });
    expect(ledger).toMatchObject([{ status: 'unknown', code: 'upstream_timeout' }]);
  });

  test('a capability of its own: named, done, refused', async () => {
    const kill: Capability = async (args, { call, mode }) => {
      call.name('Sandbox.kill', true);
      if (mode === 'read') throw new GatewayError('method_refused');
      call.sent();
      if (args === 'lost') throw new GatewayError('upstream_timeout');
      return 'true';
    };
    const write = start({ capabilities: { 'Sandbox.kill': kill } });
    await write.call('i1', 'Sandbox.kill');
    await write.call('lost', 'Sandbox.kill');
    const read = start({ capabilities: { 'Sandbox.kill': kill }, mode: 'read' });
    await read.call('i1', 'Sandbox.kill');
    expect([...write.ledger, ...read.ledger].map(({ label, status, write }) => [label, status, write])).toEqual([
      ['Sandbox.kill', 'done', true],
      ['Sandbox.kill', 'unknown', true],
      ['Sandbox.kill', 'refused', true],
    ]);
  });
});
