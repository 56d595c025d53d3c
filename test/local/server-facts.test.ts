// What the integration tests of E2B's own server expect, where local mode once answered otherwise.
import { randomUUID } from 'node:crypto';
import { Template, Volume } from 'e2b';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Sandbox, startCloud } from './support/data.ts';

type Started = Awaited<ReturnType<typeof startCloud>>;
let started: Started;
beforeAll(async () => {
  started = await startCloud('virtual');
});
afterAll(() => started.local.close());

async function api(method: string, path: string, body?: object) {
  const { apiKey, apiUrl } = started.connection;
  const headers = { 'x-api-key': apiKey, 'content-type': 'application/json' };
  const response = await fetch(apiUrl + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  // biome-ignore lint/suspicious/noExplicitAny: what a foreign API answers is looked at field by field
  return { status: response.status, body: (await response.json().catch(() => undefined)) as any };
}

it('resumes that are asked for at once are one', async () => {
  const { cloud } = started.local;
  const { sandboxId } = await Sandbox.create(started.connection);
  const sandbox = cloud.find(sandboxId);
  if (sandbox === undefined) throw new Error('the sandbox is gone');
  await Promise.all([1, 2, 3].map(() => cloud.pause(sandbox)));
  await Promise.all([1, 2, 3].map(() => cloud.resume(sandbox, 60_000)));
  expect(sandbox.state).toBe('running');
  await expect(cloud.resume(sandbox, 60_000)).rejects.toMatchObject({ code: 'already_running' });
});

it('what is wrong with a request comes before what is missing', async () => {
  expect((await api('POST', '/sandboxes/itisntthere0000/connect', { timeout: 72 * 3600 })).status).toBe(400);
  expect((await api('GET', '/templates/nosuch/builds/no-uuid/status')).status).toBe(400);
  expect((await api('GET', `/templates/base/builds/${randomUUID()}/status`)).status).toBe(404);
  for (const path of ['/templates', '/v2/templates']) {
    expect((await api('GET', `${path}?teamID=${randomUUID()}`)).status).toBe(400);
    expect((await api('GET', `${path}?teamID=`)).status).toBe(200);
  }
});

it('a bare name lists the newest tag of a snapshot, a tag its own', async () => {
  const sandbox = await Sandbox.create(started.connection);
  const snapshot = (name: string) => api('POST', `/sandboxes/${sandbox.sandboxId}/snapshots`, { name });
  const first = (await snapshot('tagged')).body.snapshotID;
  const second = (await snapshot('tagged:v2')).body.snapshotID;
  const listed = async (name: string) =>
    (await api('GET', `/snapshots?name=${name}`)).body.map((each: { snapshotID: string }) => each.snapshotID);
  expect(await listed('tagged')).toEqual([second]);
  expect(await listed('tagged:default')).toEqual([first]);
});

it('a build is tagged and started by its id; the start command prints to its log', async () => {
  const logs: string[] = [];
  const template = Template().fromBaseImage().setStartCmd('echo started; touch /tmp/up', 'test -f /tmp/up');
  const options = { ...started.connection, onBuildLogs: (entry: { message: string }) => void logs.push(entry.message) };
  const { templateId, buildId } = await Template.build(template, 'by-id', options);
  const target = `${templateId}:${buildId}`;
  expect(await api('POST', '/templates/tags', { target, tags: ['stable'] })).toMatchObject({
    status: 201,
    body: { tags: ['stable'], buildID: buildId },
  });
  for (const reference of [target, 'by-id:stable']) {
    expect((await api('POST', '/v2/sandboxes', { templateID: reference })).status).toBe(201);
  }
  expect(logs).toContain('[start] [stdout]: started');
  const order = ['Running start command', 'Waiting for template to be ready', 'Template is ready'];
  expect(logs.map(log => order.findIndex(each => log.includes(each))).filter(at => at !== -1)).toEqual([0, 1, 2]);
});

it('metrics are never zero, and a mounted volume is in the list of mounts', async () => {
  const volume = await Volume.create('listed', started.connection);
  const sandbox = await Sandbox.create({ ...started.connection, volumeMounts: { '/mnt/listed': volume } });
  const [point] = (await api('GET', `/sandboxes/${sandbox.sandboxId}/metrics`)).body;
  for (const name of ['cpuUsedPct', 'memUsed', 'memTotal', 'diskUsed', 'diskTotal']) {
    expect(point[name], name).toBeGreaterThan(0);
  }
  expect((await sandbox.commands.run('mount')).stdout).toContain(' /mnt/listed ');
});
