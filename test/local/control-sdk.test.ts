// The real, unmodified `e2b` package against local mode's control plane.
import { AuthenticationError, RateLimitError, Sandbox, SandboxNotFoundError, Template, Volume } from 'e2b';
import { beforeEach, describe, expect, test } from 'vitest';
import { newKey, startForTest } from './support/control.ts';

type Connection = { apiKey: string; apiUrl: string };
let connection: Connection;
let other: Connection;

beforeEach(async () => {
  const { url: apiUrl } = await startForTest();
  connection = { apiKey: newKey(), apiUrl };
  other = { apiKey: newKey(), apiUrl };
});

async function everything<T>(paginator: { hasNext: boolean; nextItems(): Promise<T[]> }): Promise<T[]> {
  const items: T[] = [];
  while (paginator.hasNext) items.push(...(await paginator.nextItems()));
  return items;
}

describe('one sandbox', () => {
  test('is created, described, extended and killed', async () => {
    const metadata = { user: 'ana', 'odd key': 'a=b&c d+e%' };
    const sandbox = await Sandbox.create({ ...connection, metadata, envs: { A: '1' }, timeoutMs: 60_000 });
    expect(sandbox.sandboxId).toMatch(/^i[a-z0-9]{20}$/);

    const info = await sandbox.getInfo();
    expect(info).toMatchObject({ sandboxId: sandbox.sandboxId, state: 'running', metadata, name: 'base', cpuCount: 2 });
    expect(info.lifecycle).toEqual({ onTimeout: 'kill', autoResume: false });
    expect(info.endAt.getTime() - info.startedAt.getTime()).toBe(60_000);

    await sandbox.setTimeout(120_000);
    const extended = await sandbox.getInfo();
    expect(extended.endAt.getTime()).toBeGreaterThan(info.endAt.getTime());
    await sandbox.setTimeout(30_000);
    expect((await sandbox.getInfo()).endAt.getTime()).toBeLessThan(extended.endAt.getTime());

    expect(await sandbox.kill()).toBe(true);
    expect(await sandbox.kill()).toBe(false);
    await expect(sandbox.getInfo()).rejects.toThrow(SandboxNotFoundError);
  });

  test('is paused, refuses a second pause, and wakes up when connected to', async () => {
    const sandbox = await Sandbox.create(connection);
    expect(await sandbox.pause()).toBe(true);
    expect(await sandbox.betaPause()).toBe(false);
    expect((await sandbox.getInfo()).state).toBe('paused');

    const again = await Sandbox.connect(sandbox.sandboxId, { ...connection, timeoutMs: 90_000 });
    expect(again.sandboxId).toBe(sandbox.sandboxId);
    const info = await again.getInfo();
    expect(info.state).toBe('running');
    expect(info.endAt.getTime() - info.startedAt.getTime()).toBe(90_000);
    await expect(Sandbox.connect('inobody', connection)).rejects.toThrow(SandboxNotFoundError);
  });

  test('connecting never shortens its life', async () => {
    const sandbox = await Sandbox.create({ ...connection, timeoutMs: 600_000 });
    const { endAt } = await sandbox.getInfo();
    await Sandbox.connect(sandbox.sandboxId, { ...connection, timeoutMs: 1_000 });
    expect((await sandbox.getInfo()).endAt).toEqual(endAt);
  });

  test('shows its network rules and lifecycle', async () => {
    const sandbox = await Sandbox.create({
      ...connection,
      allowInternetAccess: false,
      network: { denyOut: ['0.0.0.0/0'], allowOut: ['api.example.com'], allowPublicTraffic: false },
      lifecycle: { onTimeout: 'pause', autoResume: true },
    });
    expect(sandbox.trafficAccessToken).toMatch(/^[0-9a-f]{64}$/);
    expect(await sandbox.getInfo()).toMatchObject({
      allowInternetAccess: false,
      lifecycle: { onTimeout: 'pause', autoResume: true },
      network: { denyOut: ['0.0.0.0/0'], allowOut: ['api.example.com'], allowPublicTraffic: false },
    });
    await sandbox.updateNetwork({
      denyOut: ['10.0.0.0/8'],
      egressProxy: { address: 'p:1', username: 'u', password: 'x' },
    });
    const { network, allowInternetAccess } = await sandbox.getInfo();
    expect(network).toMatchObject({ denyOut: ['10.0.0.0/8'], allowPublicTraffic: false });
    expect(network?.allowOut).toBeUndefined();
    expect(network?.egressProxy).toEqual({ address: 'p:1', username: 'u' });
    expect(allowInternetAccess).toBeUndefined();
  });

  test('has metrics', async () => {
    const sandbox = await Sandbox.create(connection);
    const [first] = await sandbox.getMetrics();
    expect(first).toMatchObject({ cpuCount: 2, memTotal: 512 * 1024 * 1024 });
    expect(await sandbox.getMetrics({ end: new Date(0) })).toEqual([]);
    await expect(Sandbox.getMetrics('inobody', connection)).rejects.toThrow(SandboxNotFoundError);
  });
});

describe('lists', () => {
  test('filter by metadata and state, newest first, page by page', async () => {
    const made: Sandbox[] = [];
    for (const n of ['1', '2', '3', '4', '5']) {
      made.push(await Sandbox.create({ ...connection, metadata: { n, 'a&b': 'x=y z' } }));
    }
    await made[0]?.pause();
    const ids = (sandboxes: { sandboxId: string }[]) => sandboxes.map(each => each.sandboxId);

    const all = await everything(Sandbox.list({ ...connection, limit: 2 }));
    expect(ids(all).toSorted()).toEqual(ids(made).toSorted());
    const times = all.map(each => each.startedAt.getTime());
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    const oldestFirst = await everything(Sandbox.list({ ...connection, limit: 2, order: 'asc' }));
    expect(ids(oldestFirst).toSorted()).toEqual(ids(made).toSorted());

    const paused = await everything(Sandbox.list({ ...connection, query: { state: ['paused'] } }));
    expect(ids(paused)).toEqual([made[0]?.sandboxId]);
    const both = Sandbox.list({ ...connection, query: { state: ['running', 'paused'], metadata: { 'a&b': 'x=y z' } } });
    expect(await everything(both)).toHaveLength(5);
    const third = await everything(Sandbox.list({ ...connection, query: { metadata: { n: '3' } } }));
    expect(ids(third)).toEqual([made[2]?.sandboxId]);
    expect(await everything(Sandbox.list({ ...connection, query: { template: 'code-interpreter-v1' } }))).toEqual([]);
    expect(await everything(Sandbox.list({ ...connection, query: { template: 'base' } }))).toHaveLength(5);
  });

  test('show nothing of another team', async () => {
    const sandbox = await Sandbox.create(connection);
    expect(await everything(Sandbox.list(other))).toEqual([]);
    await expect(Sandbox.getInfo(sandbox.sandboxId, other)).rejects.toThrow(SandboxNotFoundError);
    await expect(Sandbox.connect(sandbox.sandboxId, other)).rejects.toThrow(SandboxNotFoundError);
    expect(await Sandbox.kill(sandbox.sandboxId, other)).toBe(false);
    expect(await Sandbox.kill(sandbox.sandboxId, connection)).toBe(true);
  });
});

describe('snapshots and forks', () => {
  test('a snapshot outlives its sandbox, is listed, and starts others', async () => {
    const sandbox = await Sandbox.create(connection);
    const snapshot = await sandbox.createSnapshot();
    const named = await sandbox.createSnapshot({ name: 'mine:v1' });
    expect(named.names).toEqual([named.snapshotId.replace(/:v1$/, '')]);
    expect(named.snapshotId).toMatch(/^team-[0-9a-f]{8}\/mine:v1$/);
    await sandbox.kill();

    const listed = await everything(Sandbox.listSnapshots({ ...connection, limit: 1 }));
    expect(listed.map(each => each.snapshotId).toSorted()).toEqual([snapshot.snapshotId, named.snapshotId].toSorted());
    expect(await everything(Sandbox.listSnapshots({ ...connection, sandboxId: sandbox.sandboxId }))).toHaveLength(2);
    expect(await everything(Sandbox.listSnapshots({ ...connection, name: 'mine' }))).toHaveLength(1);
    expect(await everything(Sandbox.listSnapshots(other))).toEqual([]);

    for (const id of [snapshot.snapshotId, named.snapshotId]) {
      const child = await Sandbox.create(id, connection);
      expect(await child.kill()).toBe(true);
      await expect(Sandbox.create(id, other)).rejects.toThrow(/404: template/);
      expect(await Sandbox.deleteSnapshot(id, other)).toBe(false);
      expect(await Sandbox.deleteSnapshot(id, connection)).toBe(true);
      expect(await Sandbox.deleteSnapshot(id, connection)).toBe(false);
    }
    await expect(Sandbox.createSnapshot(sandbox.sandboxId, connection)).rejects.toThrow(SandboxNotFoundError);
  });

  test('forks run beside the original', async () => {
    const sandbox = await Sandbox.create({ ...connection, metadata: { a: '1' } });
    const forks = await sandbox.fork({ count: 2 });
    const instances = forks.filter(each => each instanceof Sandbox);
    expect(instances).toHaveLength(2);
    expect(new Set([sandbox.sandboxId, ...instances.map(each => each.sandboxId)]).size).toBe(3);
    expect((await instances[0]?.getInfo())?.metadata).toEqual({ a: '1' });
    await sandbox.pause();
    await expect(sandbox.fork()).rejects.toThrow(/409: .*paused/);
  });
});

test('the twenty-first running sandbox is refused, and a killed one makes room', async () => {
  const made = await Promise.all(Array.from({ length: 20 }, () => Sandbox.create(connection)));
  const refused = await Sandbox.create(connection).catch((caught: unknown) => caught);
  expect(refused).toBeInstanceOf(RateLimitError);
  expect(String(refused)).toContain('maximum number of concurrent E2B sandboxes (20)');
  await Sandbox.create(other);
  await made[0]?.kill();
  await Sandbox.create(connection);
});

test('templates: existence, build, tags', async () => {
  expect(await Template.exists('base', connection)).toBe(true);
  expect(await Template.exists('nothing-like-it', connection)).toBe(false);
  await expect(Sandbox.create('nothing-like-it', connection)).rejects.toThrow(
    "404: template 'nothing-like-it' not found",
  );

  const built = await Template.build(Template().fromTemplate('base').runCmd('true'), 'own', {
    ...connection,
    cpuCount: 4,
  });
  expect((await (await Sandbox.create('own', connection)).getInfo()).cpuCount).toBe(4);
  await Template.assignTags('own', ['stable'], connection);
  const tags = await Template.getTags(built.templateId, connection);
  expect(tags.map(each => each.tag).toSorted()).toEqual(['default', 'stable']);
  await Sandbox.create('own:stable', connection);
  await Template.removeTags('own', ['stable'], connection);
  await expect(Sandbox.create('own:stable', connection)).rejects.toThrow(/404/);
  expect(await Template.exists('own', other)).toBe(false);
});

test('volumes: create, list, info, mount, destroy', async () => {
  const volume = await Volume.create('data', connection);
  expect(await Volume.list(connection)).toEqual([{ volumeId: volume.volumeId, name: 'data' }]);
  expect(await Volume.list(other)).toEqual([]);
  expect(await Volume.getInfo(volume.volumeId, connection)).toMatchObject({ name: 'data', token: volume.token });
  await expect(Volume.create('data', connection)).rejects.toThrow(/already exists/);
  const sandbox = await Sandbox.create({ ...connection, volumeMounts: { '/mnt/data': volume } });
  expect((await sandbox.getInfo()).volumeMounts).toEqual([{ name: 'data', path: '/mnt/data' }]);
  await expect(Sandbox.create({ ...connection, volumeMounts: { '/mnt': 'gone' } })).rejects.toThrow(/'gone' not found/);
  expect(await Volume.destroy(volume.volumeId, other)).toBe(false);
  expect(await Volume.destroy(volume.volumeId, connection)).toBe(true);
  expect(await Volume.destroy(volume.volumeId, connection)).toBe(false);
});

test('a key that is none is refused', async () => {
  await expect(Sandbox.create({ ...connection, apiKey: 'e2b_nothex' })).rejects.toThrow(AuthenticationError);
});
