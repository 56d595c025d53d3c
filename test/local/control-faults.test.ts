// Faults on purpose, and the data plane's mount point.
import { RateLimitError, Sandbox } from 'e2b';
import { expect, test } from 'vitest';
import { type Fault, faulty } from '../support/faults.ts';
import { callerOf, newKey, PATIENT, startForTest } from './support/control.ts';

/** A cloud that answers GET /v2/sandboxes with one fault after the other, then as usual. */
async function startFaulty(...faults: Fault[]) {
  const local = await startForTest(faulty(req => (req.url?.startsWith('/v2/sandboxes') ? faults.shift() : undefined)));
  return { local, faults, send: callerOf(local) };
}

test('a made-up answer: status, headers, body as JSON or as text', async () => {
  const { local, send } = await startFaulty(
    { status: 503, headers: { 'retry-after': '1' }, body: { code: 503, message: 'busy' } },
    { status: 200, body: '{"half":' },
    { status: 204 },
  );
  const busy = await send('GET', '/v2/sandboxes');
  expect(busy).toMatchObject({ status: 503, body: { code: 503, message: 'busy' } });
  expect(busy.headers.get('retry-after')).toBe('1');
  expect(await (await fetch(`${local.url}/v2/sandboxes`)).text()).toBe('{"half":');
  expect((await fetch(`${local.url}/v2/sandboxes`)).status).toBe(204);
  expect((await send('GET', '/v2/sandboxes')).status).toBe(200);
});

test.each(['reset', 'garbage'] as const)('%s breaks the call, and the next one works', async fault => {
  const { send } = await startFaulty(fault);
  await expect(send('GET', '/v2/sandboxes')).rejects.toThrow('fetch failed');
  expect((await send('GET', '/v2/sandboxes')).status).toBe(200);
});

test('hang never answers; closing the cloud ends it', async () => {
  const { local, faults, send } = await startFaulty('hang');
  const call = send('GET', '/v2/sandboxes');
  call.catch(() => {});
  await expect.poll(() => faults.length, PATIENT).toBe(0);
  await local.close();
  await expect(call).rejects.toThrow('fetch failed');
});

test('a delayed answer is the real one', async () => {
  const { send } = await startFaulty({ delayMs: 20 });
  const reply = await send('POST', '/v2/sandboxes', { templateID: 'base', metadata: { a: 'x'.repeat(100_000) } });
  expect(reply.status).toBe(201);
});

test('the SDK sees a 429 storm as such, and gets through when it ends', async () => {
  const storm: Fault = { status: 429, body: { code: 429, message: 'Rate limit exceeded' } };
  const { local } = await startFaulty(storm, storm);
  const connection = { apiKey: newKey(), apiUrl: local.url };
  for (let call = 0; call < 2; call++) await expect(Sandbox.create(connection)).rejects.toThrow(RateLimitError);
  await Sandbox.create(connection);
});

test('the data plane is asked first, with the body unread, and its failure is a 500', async () => {
  const local = await startForTest({
    dataPlane: cloud => async (req, res) => {
      const id = req.headers['e2b-sandbox-id'];
      if (typeof id !== 'string') return false;
      if (id === 'broken') throw new Error('secret detail');
      const chunks: Buffer[] = [];
      for await (const chunk of req) chunks.push(chunk as Buffer);
      res.end(JSON.stringify({ state: cloud.find(id)?.state ?? 'none', got: Buffer.concat(chunks).toString() }));
      return true;
    },
  });
  const send = callerOf(local);
  const { sandboxID } = (await send('POST', '/v2/sandboxes', { templateID: 'base' })).body;
  const at = (id: string) => send('POST', '/health', 'text', { 'e2b-sandbox-id': id });
  expect((await at(sandboxID)).body).toEqual({ state: 'running', got: 'text' });
  expect((await at('other')).body).toEqual({ state: 'none', got: 'text' });
  const broken = await at('broken');
  expect(broken.status).toBe(500);
  expect(JSON.stringify(broken.body)).not.toContain('secret');
});
