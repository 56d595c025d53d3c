// Lifecycle events and webhooks: what happens to sandboxes is listed, and delivered to this machine, signed.
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callerOf, PATIENT, startForTest } from './support/control.ts';

type Delivery = { headers: IncomingHttpHeaders; body: string };
const deliveries: Delivery[] = [];
const receiver = createServer((req, res) => {
  let body = '';
  req.on('data', part => {
    body += part;
  });
  req.on('end', () => {
    deliveries.push({ headers: req.headers, body });
    res.end();
  });
});
let receiverUrl = '';
beforeAll(async () => {
  await new Promise<void>(resolve => receiver.listen(0, '127.0.0.1', resolve));
  receiverUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
});
afterAll(() => receiver.close());

const kind = (event: { type: string }) => event.type.replace('sandbox.lifecycle.', '');

describe('events', () => {
  it('tell a sandbox’s life, newest first, to its own team only', async () => {
    const local = await startForTest();
    const send = callerOf(local);
    const created = (await send('POST', '/v2/sandboxes', { templateID: 'base', autoPause: true })).body;
    const id = created.sandboxID;
    await send('POST', `/sandboxes/${id}/timeout`, { timeout: 100 });
    await send('PUT', `/sandboxes/${id}/network`, {});
    await send('POST', `/sandboxes/${id}/snapshots`, {});
    await send('POST', `/sandboxes/${id}/pause`);
    await send('POST', `/v2/sandboxes/${id}/connect`, {});
    await send('DELETE', `/sandboxes/${id}`);
    await send('POST', '/v2/sandboxes', { templateID: 'base' });

    const { status, body } = await send('GET', `/events/sandboxes/${id}`);
    expect(status).toBe(200);
    const kinds = ['killed', 'resumed', 'paused', 'snapshotted', 'updated', 'updated', 'created'];
    expect(body.map(kind)).toEqual(kinds);
    expect(body[6]).toEqual({
      ...{ version: 'v1', id: expect.any(String), type: 'sandbox.lifecycle.created', eventData: null, sandboxId: id },
      sandboxExecutionId: expect.any(String),
      sandboxBuildId: expect.any(String),
      sandboxTemplateId: created.templateID,
      sandboxTeamId: expect.any(String),
      timestamp: expect.any(String),
    });
    expect(body[5].eventData).toEqual({ set_timeout: expect.any(String) });
    expect(body[0].sandboxExecutionId).not.toBe(body[6].sandboxExecutionId);
    expect((await send('GET', '/events/sandboxes')).body).toHaveLength(8);
    expect((await callerOf(local)('GET', '/events/sandboxes')).body).toEqual([]);
  });

  it('are paged, ordered and filtered by type; wrong queries are 400', async () => {
    const local = await startForTest();
    const send = callerOf(local);
    for (let round = 0; round < 6; round += 1) {
      const { sandboxID } = (await send('POST', '/v2/sandboxes', { templateID: 'base' })).body;
      await send('DELETE', `/sandboxes/${sandboxID}`);
    }
    const list = async (query: string) => (await send('GET', `/events/sandboxes${query}`)).body;
    expect(await list('')).toHaveLength(10);
    expect((await list('?orderAsc=true&limit=2')).map(kind)).toEqual(['created', 'killed']);
    expect(await list('?offset=11')).toHaveLength(1);
    const killed = await list('?types=sandbox.lifecycle.killed&limit=100');
    expect(new Set(killed.map(kind))).toEqual(new Set(['killed']));
    expect(await list('?types=sandbox.lifecycle.killed&types=sandbox.lifecycle.created&limit=100')).toHaveLength(12);
    for (const query of ['?limit=0', '?limit=101', '?offset=-1', '?types=nothing', '?orderAsc=maybe']) {
      expect((await send('GET', `/events/sandboxes${query}`)).status, query).toBe(400);
    }
  });
});

describe('webhooks', () => {
  const webhook = (more: object = {}) => ({
    name: 'watch',
    url: receiverUrl,
    enabled: true,
    events: ['sandbox.lifecycle.created', 'sandbox.lifecycle.killed'],
    signatureSecret: randomBytes(8).toString('hex'),
    ...more,
  });

  it('are registered, shown without their secret, changed and removed, each team its own', async () => {
    const local = await startForTest();
    const send = callerOf(local);
    const { status, body } = await send('POST', '/events/webhooks', webhook());
    expect(status).toBe(201);
    expect(Object.keys(body).toSorted()).toEqual(['createdAt', 'enabled', 'events', 'id', 'name', 'teamId', 'url']);
    expect((await send('GET', `/events/webhooks/${body.id}`)).body).toEqual(body);
    const changed = await send('PATCH', `/events/webhooks/${body.id}`, { enabled: false });
    expect(changed).toMatchObject({ status: 200, body: { id: body.id, enabled: false, name: 'watch' } });
    const stranger = callerOf(local);
    expect((await stranger('GET', '/events/webhooks')).body).toEqual([]);
    for (const method of ['GET', 'DELETE']) {
      expect((await stranger(method, `/events/webhooks/${body.id}`)).status).toBe(404);
    }
    expect((await send('DELETE', `/events/webhooks/${body.id}`)).status).toBe(200);
    expect((await send('GET', '/events/webhooks')).body).toEqual([]);
    for (const wrong of [{ url: 'file:///etc/passwd' }, { url: 'nonsense' }, { events: ['other'] }, { name: '' }]) {
      expect((await send('POST', '/events/webhooks', webhook(wrong))).status, JSON.stringify(wrong)).toBe(400);
    }
  });

  it('deliver the events they name, signed over secret and body', async () => {
    const local = await startForTest();
    const send = callerOf(local);
    const signatureSecret = randomBytes(8).toString('hex');
    const { id } = (await send('POST', '/events/webhooks', webhook({ signatureSecret }))).body;
    await send('POST', '/events/webhooks', webhook({ enabled: false }));
    deliveries.length = 0;
    const { sandboxID } = (await send('POST', '/v2/sandboxes', { templateID: 'base' })).body;
    await send('POST', `/sandboxes/${sandboxID}/pause`);
    await send('DELETE', `/sandboxes/${sandboxID}`);
    await expect.poll(() => deliveries.length, PATIENT).toBe(2);
    expect(deliveries.map(({ body }) => kind(JSON.parse(body))).toSorted()).toEqual(['created', 'killed']);
    for (const { headers, body } of deliveries) {
      const signature = createHash('sha256')
        .update(signatureSecret + body)
        .digest('base64url');
      expect(headers).toMatchObject({
        'e2b-webhook-id': id,
        'e2b-delivery-id': expect.any(String),
        'e2b-signature-version': 'v1',
        'e2b-signature': signature,
      });
      expect(JSON.parse(body)).toMatchObject({ sandboxId: sandboxID });
    }
  });

  it('are not delivered off this machine, and a log line says so', async () => {
    const warnings: string[] = [];
    const local = await startForTest({ warn: sentence => void warnings.push(sentence) });
    const send = callerOf(local);
    await send('POST', '/events/webhooks', webhook({ url: 'http://192.0.2.1/hook' }));
    await send('POST', '/v2/sandboxes', { templateID: 'base' });
    await expect.poll(() => warnings, PATIENT).toEqual([expect.stringMatching(/watch: .*this machine only/)]);
  });
});
