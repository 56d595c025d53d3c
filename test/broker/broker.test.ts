// The broker: the replies to a guest's calls, and the budgets of a run.
import { describe, expect, test } from 'vitest';
import type { Capability } from '../../src/broker/capabilities.ts';
import type { GuestReply } from '../../src/engine/engine.ts';
import { wholeText } from '../../src/ground/json-text.ts';
import { apiKey, createRequest, listRequest, useBroker } from '../support/broker.ts';
import { sendJson } from '../support/upstream.ts';

const { parts, start } = useBroker();
const value = (reply: GuestReply) => {
  if (!reply.ok) throw new Error(`${reply.error.code}: ${reply.error.message}`);
  return JSON.parse(wholeText(reply.json));
};

describe('api.request', () => {
  test('returns status, ok, selected headers and data', async () => {
    parts.upstream.answer = (_, response) =>
      sendJson(response, [{ sandboxID: 'i1' }], 200, { 'x-total-running': '1', 'x-next-token': 'n', server: 's' });
    const { call, ledger } = start();
    expect(value(await call({ ...listRequest, query: { nextToken: 'q' } }))).toEqual({
      status: 200,
      ok: true,
      headers: { 'content-type': 'application/json', 'x-total-running': '1', 'x-next-token': 'n' },
      data: [{ sandboxID: 'i1' }],
    });
    expect(parts.upstream.requests[0]?.headers['x-api-key']).toBe(apiKey);
    expect(ledger).toEqual([
      { label: 'GET /v2/sandboxes', write: false, act: { effect: 'lists' }, status: 200, ms: expect.any(Number) },
    ]);
  });

  test('an error status does not throw; a body that is not JSON becomes a string, an empty one null', async () => {
    parts.upstream.answer = (_, response, count) => {
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
    expect(value(await call(createRequest))).toMatchObject({ status: 500, ok: false, data: '<h1>"oops"</h1>' });
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

  test("secrets and the caller's key never reach the guest", async () => {
    parts.upstream.answer = (_, response) =>
      sendJson(response, { envdAccessToken: 'x-secret', sessionCode: 'x-secret', echo: apiKey }, 200, {
        'x-next-token': apiKey,
      });
    const reply = await start().call({ path: '/sandboxes/i1' });
    expect(JSON.stringify(reply)).not.toMatch(new RegExp(`x-secret|${apiKey.slice(4)}`));
    expect(value(reply).data).toMatchObject({ envdAccessToken: '[redacted]' });
  });

  test('a refused request is not sent, and the reply has name, code and a hint', async () => {
    const { call, ledger } = start({ mode: 'read' });
    expect(await call({ path: '/sandboxes/%2e%2e/teams?secret=1' })).toEqual({
      ok: false,
      error: { name: 'GatewayError', code: 'path_refused', message: expect.stringMatching(/never reachable/) },
    });
    expect(await call(createRequest)).toMatchObject({
      error: { code: 'method_refused', message: expect.stringMatching(/execute_write/) },
    });
    expect(await call({ path: '//x' })).toMatchObject({ error: { code: 'path_invalid' } });
    expect(await call(null)).toMatchObject({ error: { code: 'request_invalid' } });
    expect(parts.upstream.requests).toEqual([]);
    expect(ledger.map(({ label, status, code }) => [label, status, code])).toEqual([
      ['GET /teams', 'refused', 'path_refused'],
      ['POST /sandboxes', 'refused', 'method_refused'],
      ['api.request', 'refused', 'path_invalid'],
      ['api.request', 'refused', 'request_invalid'],
    ]);
  });
});

describe('invalid calls', () => {
  test('an unknown capability and arguments that are not JSON are refused', async () => {
    const { call, callHost, ledger } = start();
    expect(await call({}, 'fs.readFile')).toMatchObject({
      error: { code: 'capability_unknown', message: expect.stringMatching(/api\.request/) },
    });
    expect(await call({}, '__proto__')).toMatchObject({ error: { code: 'capability_unknown' } });
    expect(await callHost({ capability: 'api.request', argsJson: '{' }, parts.run.signal)).toMatchObject({
      error: { code: 'request_invalid' },
    });
    expect(ledger.map(({ status }) => status)).toEqual(['refused', 'refused', 'refused']);
  });

  test('an internal error is logged with its cause, which the guest does not see', async () => {
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
  test('calls beyond the limit are refused and get one ledger entry; refused calls count', async () => {
    const { call, ledger } = start({ limits: { maxCalls: 3 } });
    await call(listRequest);
    await call({ path: '/teams' });
    await call(listRequest);
    for (let i = 0; i < 50; i++) expect(await call(listRequest)).toMatchObject({ error: { code: 'budget_exceeded' } });
    expect(ledger.map(({ status }) => status)).toEqual([200, 'refused', 200, 'refused']);
    expect(parts.upstream.requests).toHaveLength(2);
  });

  test('calls beyond the parallel limit wait in order', async () => {
    const order: unknown[] = [];
    const ends: (() => void)[] = [];
    const slow: Capability = async args => {
      order.push(args);
      await new Promise<void>(resolve => ends.push(resolve));
      return 'null';
    };
    const { call } = start({ capabilities: { slow }, limits: { maxParallelCalls: 8 } });
    const calls = Array.from({ length: 40 }, (_, index) => call(index, 'slow'));
    for (let begun = 8; begun <= 40; begun += 8) {
      await expect.poll(() => order.length).toBe(begun);
      for (let i = 0; i < 10; i++) await new Promise(resolve => setImmediate(resolve));
      expect(order).toHaveLength(begun);
      for (const end of ends.splice(0)) end();
    }
    await Promise.all(calls);
    expect(order).toEqual(Array.from({ length: 40 }, (_, index) => index));
  });

  test('a request body beyond its limit is refused', async () => {
    const { call, ledger } = start({ limits: { maxRequestBytes: 100 } });
    const big = { ...createRequest, body: { templateID: 'é'.repeat(60) } };
    expect(await call(big)).toMatchObject({
      error: { code: 'budget_exceeded', message: expect.stringMatching(/100 are allowed/) },
    });
    expect(ledger).toMatchObject([
      { label: 'POST /sandboxes', write: true, status: 'refused', code: 'budget_exceeded' },
    ]);
    expect(parts.upstream.requests).toEqual([]);
  });

  test('a response beyond its limit, or beyond that of the run, is refused', async () => {
    parts.upstream.answer = (_, response, count) => sendJson(response, 'x'.repeat(count === 1 ? 2000 : 900));
    const { call, ledger } = start({ limits: { maxAnswerBytes: 1000, maxRunAnswerBytes: 4000 } });
    expect(await call(createRequest)).toMatchObject({ error: { code: 'answer_too_large' } });
    const replies = [];
    for (let i = 0; i < 5; i++) replies.push(await call(listRequest));
    expect(replies.at(-1)).toMatchObject({ ok: false, error: { code: 'budget_exceeded' } });
    expect(ledger[0]).toMatchObject({ write: true, status: 200, code: 'answer_too_large' });
    expect(ledger.at(-1)).toMatchObject({ status: 200, code: 'budget_exceeded' });
  });

  test('the reply of a capability that does not count bytes itself is limited', async () => {
    const wide: Capability = () => Promise.resolve(JSON.stringify('x'.repeat(2000)));
    const { call } = start({ capabilities: { wide }, limits: { maxAnswerBytes: 1000 } });
    expect(await call({}, 'wide')).toMatchObject({ error: { code: 'answer_too_large' } });
  });
});
