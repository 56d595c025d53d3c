// The ledger entries of calls that were cancelled, lost, refused or never sent.
import { describe, expect, test } from 'vitest';
import type { Capability } from '../../src/broker/capabilities.ts';
import { GatewayError } from '../../src/errors.ts';
import { createRequest, listRequest, useBroker } from '../support/broker.ts';

const { parts, start } = useBroker();

describe('the status in the ledger', () => {
  test('at the end of the run: open writes are unknown, reads failed, waiting calls refused', async () => {
    parts.upstream.answer = () => {};
    const reported: string[] = [];
    const { call, ledger } = start({
      limits: { maxParallelCalls: 2 },
      onCall: entry => reported.push(entry.label),
    });
    const replies = [
      call(createRequest),
      call({ path: '/sandboxes/i1' }),
      call({ ...createRequest, path: '/sandboxes/i1/pause', body: undefined }),
    ];
    await parts.upstream.received(2);
    expect(ledger.map(({ status }) => status)).toEqual(['unknown', 'failed', 'refused']);
    parts.run.abort();
    expect(reported).toHaveLength(3);
    const atEnd = ledger.map(({ label, status, code }) => [label, status, code]);
    expect(atEnd).toEqual([
      ['POST /sandboxes', 'unknown', 'cancelled'],
      ['GET /sandboxes/i1', 'failed', 'cancelled'],
      ['api.request', 'refused', 'cancelled'],
    ]);
    for (const reply of await Promise.all(replies))
      expect(reply).toMatchObject({ ok: false, error: { code: 'cancelled' } });
    expect(ledger.map(({ label, status, code }) => [label, status, code])).toEqual(atEnd);
    expect(reported).toHaveLength(3);
    expect(parts.upstream.requests).toHaveLength(2);
  });

  test('of a call that was aborted by its own signal is unknown, and later calls are not made', async () => {
    parts.upstream.answer = () => {};
    const { call, ledger } = start();
    const own = new AbortController();
    const reply = call(createRequest, 'api.request', own.signal);
    await parts.upstream.received(1);
    own.abort();
    expect(await reply).toMatchObject({ error: { code: 'cancelled' } });
    expect(await call(listRequest, 'api.request', own.signal)).toMatchObject({ error: { code: 'cancelled' } });
    expect(ledger).toMatchObject([{ label: 'POST /sandboxes', status: 'unknown', code: 'cancelled' }]);
    expect(parts.upstream.requests).toHaveLength(1);
  });

  test('of a write without response is unknown, and of one that was not sent failed', async () => {
    parts.upstream.answer = (_, response) => response.destroy();
    const { call, ledger } = start();
    expect(await call(createRequest)).toMatchObject({ error: { code: 'upstream_unreachable' } });
    await parts.upstream.close();
    expect(await call(createRequest)).toMatchObject({ error: { code: 'upstream_unreachable' } });
    expect(ledger.map(({ status, code }) => [status, code])).toEqual([
      ['unknown', 'upstream_unreachable'],
      ['failed', 'upstream_unreachable'],
    ]);
  });

  test('of a write that timed out is unknown', async () => {
    parts.upstream.answer = () => {};
    const { call, ledger } = start({ limits: { callTimeoutMs: 100 } });
    expect(await call(createRequest)).toMatchObject({ error: { code: 'upstream_timeout' } });
    expect(ledger).toMatchObject([{ status: 'unknown', code: 'upstream_timeout' }]);
  });

  test('of a capability follows its calls of name and sent', async () => {
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
