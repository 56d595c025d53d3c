// Every operation of our description of E2B is there in local mode, and what it answers has the described shape.
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { loadDescription } from '../../src/spec/load.ts';
import { callerOf, startForTest } from './support/control.ts';

const description = await loadDescription('openapi/e2b.yaml');
const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });

test('each described operation answers a described status with a body of its schema', async () => {
  const send = callerOf(await startForTest());
  const left = new Set<string>(description.operations.map(operation => operation.id));

  /** Calls `operation` with the path parameters filled in; `query` comes after the path. */
  const call = async (id: string, parameters: Record<string, string> = {}, body?: unknown, query = '') => {
    const operation = description.operations.find(each => each.id === id);
    if (operation === undefined) throw new Error(`${id} is not described`);
    left.delete(id);
    const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(parameters[name] ?? ''));
    const reply = await send(operation.method, `${path}${query}`, body);
    const answer = operation.answers[String(reply.status)];
    expect(answer, `${id} answered ${reply.status} ${JSON.stringify(reply.body)}`).toBeDefined();
    if (answer?.schema === undefined) expect(reply.body, id).toBeUndefined();
    else expect(ajv.validate(answer.schema, reply.body) || ajv.errorsText(ajv.errors), id).toBe(true);
    return reply.body;
  };

  const base = { templateID: 'base', timeout: 60 };
  const network = { denyOut: ['0.0.0.0/0'], allowOut: ['e2b.app'], egressProxy: { address: 'proxy.example.com:1080' } };
  const { volumeID } = await call('POST /volumes', {}, { name: 'data' });
  const mounted = { ...base, metadata: { a: 'b' }, network, volumeMounts: [{ name: 'data', path: '/data' }] };
  const { sandboxID } = await call('POST /v2/sandboxes', {}, mounted);
  const one = { sandboxID };
  await call('POST /sandboxes', {}, base);
  await call('GET /health');
  for (const id of ['GET /sandboxes', 'GET /v2/sandboxes', 'GET /volumes']) await call(id);
  for (const part of ['', '/metrics', '/logs']) await call(`GET /sandboxes/{sandboxID}${part}`, one);
  await call('GET /v2/sandboxes/{sandboxID}/logs', one);
  await call('GET /sandboxes/metrics', {}, undefined, `?sandbox_ids=${sandboxID}`);
  await call('POST /sandboxes/{sandboxID}/connect', one, { timeout: 60 });
  await call('POST /sandboxes/{sandboxID}/timeout', one, { timeout: 60 });
  await call('POST /sandboxes/{sandboxID}/refreshes', one, { duration: 60 });
  await call('PUT /sandboxes/{sandboxID}/network', one, { denyOut: [] });
  await call('POST /sandboxes/{sandboxID}/fork', one, { count: 2 });
  await call('POST /sandboxes/{sandboxID}/snapshots', one, { name: 'snap' });
  await call('GET /snapshots');
  await call('POST /sandboxes/{sandboxID}/pause', one);
  await call('GET /sandboxes/{sandboxID}', one);
  await call('POST /sandboxes/{sandboxID}/resume', one, {});
  await call('POST /sandboxes/{sandboxID}/pause', one);
  await call('POST /v2/sandboxes/{sandboxID}/connect', one, {});
  await call('DELETE /sandboxes/{sandboxID}', one);

  const built = await call('POST /v3/templates', {}, { name: 'app' });
  await call('POST /v2/templates', {}, { alias: 'old' });
  const build = { templateID: built.templateID, buildID: built.buildID, hash: 'abc' };
  await call('GET /templates/{templateID}/files/{hash}', build);
  await call('POST /v2/templates/{templateID}/builds/{buildID}', build, { fromTemplate: 'base' });
  await call('GET /templates/{templateID}/builds/{buildID}/status', build);
  await call('GET /templates/{templateID}/builds/{buildID}/logs', build);
  for (const id of ['GET /templates', 'GET /v2/templates']) await call(id);
  for (const part of ['', '/tags']) await call(`GET /templates/{templateID}${part}`, build);
  await call('GET /templates/aliases/{alias}', { alias: 'app' });
  await call('POST /templates/tags', {}, { target: 'app', tags: ['x'] });
  await call('DELETE /templates/tags', {}, { name: 'app', tags: ['x'] });
  for (const version of ['', '/v2']) await call(`PATCH ${version}/templates/{templateID}`, build, { public: true });
  await call('DELETE /templates/{templateID}', build);
  await call('GET /volumes/{volumeID}', { volumeID });
  await call('DELETE /volumes/{volumeID}', { volumeID });

  await call('GET /events/sandboxes');
  await call('GET /events/sandboxes/{sandboxID}', one);
  const hook = {
    name: 'ends',
    url: 'http://127.0.0.1:9/',
    enabled: false,
    events: ['sandbox.lifecycle.killed'],
    signatureSecret: 's',
  };
  const { id: webhookID } = await call('POST /events/webhooks', {}, hook);
  await call('GET /events/webhooks');
  for (const [method, body] of [['GET'], ['PATCH', { enabled: false }], ['DELETE']] as const)
    await call(`${method} /events/webhooks/{webhookID}`, { webhookID }, body);

  expect([...left]).toEqual([]);
});
