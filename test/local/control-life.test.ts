// How sandboxes expire, what happens to their machines, and that nothing is left behind. Time is the test's.
import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { Cloud, type Machine, type MachineOptions } from '../../local/cloud.ts';
import { emptyMachine } from '../../local/sandbox.ts';
import { callerOf, ManualClock, startForTest } from './support/control.ts';

/** A machine that writes down what is done to it. */
class RecordedMachine implements Machine {
  readonly #steps: string[];
  readonly #name: string;

  constructor(steps: string[], name: string) {
    this.#steps = steps;
    this.#name = name;
  }

  async freeze({ keepMemory }: { keepMemory: boolean }): Promise<void> {
    this.#steps.push(`freeze ${this.#name} ${keepMemory}`);
  }

  async thaw(): Promise<void> {
    this.#steps.push(`thaw ${this.#name}`);
  }

  async copy(options: MachineOptions): Promise<Machine> {
    this.#steps.push(`copy ${this.#name}`);
    return new RecordedMachine(this.#steps, `${this.#name}+${options.envVars.N ?? ''}`);
  }

  async close(): Promise<void> {
    this.#steps.push(`close ${this.#name}`);
  }
}

async function startRecorded() {
  const clock = new ManualClock();
  const steps: string[] = [];
  const machineFactory = async ({ envVars }: MachineOptions) => new RecordedMachine(steps, envVars.N ?? '');
  const local = await startForTest({ clock, machineFactory });
  const send = callerOf(local);
  const create = async (body: object = {}): Promise<string> => {
    const reply = await send('POST', '/v2/sandboxes', { templateID: 'base', envVars: { N: 'm' }, ...body });
    return reply.body.sandboxID;
  };
  const state = async (id: string) => (await send('GET', `/sandboxes/${id}`)).body.state;
  return { clock, steps, local, send, create, state };
}

test('a sandbox ends at its time, not before', async () => {
  const { clock, steps, send, create, state } = await startRecorded();
  const id = await create({ timeout: 10 });
  clock.advance(9_999);
  expect(await state(id)).toBe('running');
  await send('POST', `/sandboxes/${id}/timeout`, { timeout: 20 });
  clock.advance(19_999);
  expect(await state(id)).toBe('running');
  clock.advance(1);
  expect((await send('GET', `/sandboxes/${id}`)).status).toBe(404);
  expect(steps).toEqual(['close m']);
  expect(clock.pending).toBe(0);
});

test('a timeout of zero ends it at once', async () => {
  const { clock, send, create } = await startRecorded();
  const id = await create();
  expect((await send('POST', `/sandboxes/${id}/timeout`, { timeout: 0 })).status).toBe(204);
  clock.advance(0);
  expect((await send('GET', `/sandboxes/${id}`)).status).toBe(404);
});

test('with autoPause it is paused instead, keeps for days, and lives anew after a resume', async () => {
  const { clock, steps, send, create, state } = await startRecorded();
  const id = await create({ timeout: 10, autoPause: true });
  clock.advance(10_000);
  expect(await state(id)).toBe('paused');
  const { body } = await send('GET', `/sandboxes/${id}`);
  expect(Date.parse(body.endAt) - Date.parse(body.startedAt)).toBe(10_000);
  clock.advance(10 * 24 * 3_600_000);
  expect(await state(id)).toBe('paused');
  expect((await send('POST', `/sandboxes/${id}/resume`, { timeout: 10 })).status).toBe(201);
  clock.advance(9_999);
  expect(await state(id)).toBe('running');
  clock.advance(1);
  expect(await state(id)).toBe('paused');
  expect(steps).toEqual(['freeze m true', 'thaw m', 'freeze m true']);
});

test('memory is dropped when asked: on pause, on automatic pause, on resume', async () => {
  const { clock, steps, send, create } = await startRecorded();
  const id = await create({ timeout: 10, autoPause: true, autoPauseMemory: false });
  await send('POST', `/sandboxes/${id}/pause`, { memory: false });
  await send('POST', `/v2/sandboxes/${id}/connect`, { timeout: 10 });
  clock.advance(10_000);
  await send('POST', `/v2/sandboxes/${id}/connect`, { timeout: 10, memory: false });
  expect(steps).toEqual(['freeze m false', 'thaw m', 'freeze m false', 'freeze m false', 'thaw m']);
});

test('refreshes only extend, by 15 s at least; timeout sets', async () => {
  const { send, create } = await startRecorded();
  const id = await create({ timeout: 100 });
  const life = async (): Promise<number> => {
    const { body } = await send('GET', `/sandboxes/${id}`);
    return (Date.parse(body.endAt) - Date.parse(body.startedAt)) / 1000;
  };
  const ask = async (path: string, body: object) => (await send('POST', `/sandboxes/${id}/${path}`, body)).status;
  expect([await ask('refreshes', { duration: 50 }), await life()]).toEqual([204, 100]);
  expect([await ask('refreshes', { duration: 1000 }), await life()]).toEqual([204, 1000]);
  expect([await ask('timeout', { timeout: 5 }), await life()]).toEqual([204, 5]);
  expect([await ask('refreshes', {}), await life()]).toEqual([204, 15]);
  expect([await ask('refreshes', { duration: 3601 }), await ask('timeout', {}), await life()]).toEqual([400, 400, 15]);
});

test('nothing extends a life past the hour; a resume starts a new one', async () => {
  const { clock, send, create, state } = await startRecorded();
  const id = await create({ timeout: 3000 });
  clock.advance(2_000_000);
  await send('POST', `/sandboxes/${id}/timeout`, { timeout: 3000 });
  const { body } = await send('GET', `/sandboxes/${id}`);
  expect(Date.parse(body.endAt) - Date.parse(body.startedAt)).toBe(3_600_000);
  await send('POST', `/sandboxes/${id}/pause`);
  await send('POST', `/sandboxes/${id}/resume`, { timeout: 3600 });
  clock.advance(3_599_999);
  expect(await state(id)).toBe('running');
});

test('metrics grow with time and stop with a pause', async () => {
  const { clock, send, create } = await startRecorded();
  const id = await create({ timeout: 600 });
  const count = async (query = ''): Promise<number> =>
    (await send('GET', `/sandboxes/${id}/metrics${query}`)).body.length;
  expect(await count()).toBe(1);
  clock.advance(60_000);
  expect(await count()).toBe(13);
  const start = Math.round(clock.now() / 1000) - 10;
  expect(await count(`?start=${start}`)).toBe(3);
  expect(await count(`?end=${start}`)).toBe(11);
  await send('POST', `/sandboxes/${id}/pause`);
  clock.advance(60_000);
  expect(await count()).toBe(13);
});

test('snapshots and forks get machines of their own, and every machine is closed in the end', async () => {
  const { steps, local, send, create } = await startRecorded();
  const id = await create();
  const { snapshotID } = (await send('POST', `/sandboxes/${id}/snapshots`, {})).body;
  await send('POST', `/sandboxes/${id}/fork`, { count: 2 });
  expect(steps.splice(0)).toEqual(['copy m', 'copy m', 'copy m+m', 'copy m+m', 'close m+m']);
  await create({ templateID: snapshotID, envVars: { N: 'child' } });
  expect(steps.splice(0)).toEqual(['copy m+m']);
  await local.close();
  expect(steps.toSorted()).toEqual(['close m', 'close m+m', 'close m+m+child', 'close m+m+m', 'close m+m+m']);
});

test('traffic wakes a paused sandbox only where it may', async () => {
  const { local, send, create } = await startRecorded();
  const wakes = async (id: string): Promise<boolean> => {
    const sandbox = local.cloud.find(id);
    if (sandbox === undefined) throw new Error('not registered');
    await local.cloud.wake(sandbox);
    return sandbox.state === 'running';
  };
  const plain = await create();
  const auto = await create({ autoPause: true, autoResume: { enabled: true } });
  expect(await wakes(plain)).toBe(true);
  for (const id of [plain, auto]) await send('POST', `/sandboxes/${id}/pause`);
  expect(await wakes(plain)).toBe(false);
  expect(await Promise.all([wakes(auto), wakes(auto)])).toEqual([true, true]);
  await send('POST', `/sandboxes/${auto}/pause`, { memory: false });
  expect(await wakes(auto)).toBe(false);
});

test('a machine that cannot start takes no place and gives a clean 500', async () => {
  const limits = { maxRunningPerTeam: 1, maxLifeMs: 60_000 };
  let broken = true;
  const machineFactory = async () => {
    if (broken) throw new Error('secret detail');
    return new RecordedMachine([], '');
  };
  const local = await startForTest({ machineFactory, limits });
  const send = callerOf(local);
  const failed = await send('POST', '/sandboxes', { templateID: 'base' });
  expect(failed).toMatchObject({ status: 500, body: { code: 500, error_code: 'internal_server_error' } });
  expect(JSON.stringify(failed.body)).not.toContain('secret');
  broken = false;
  expect((await send('POST', '/sandboxes', { templateID: 'base' })).status).toBe(201);
  expect((await send('POST', '/sandboxes', { templateID: 'base' })).status).toBe(429);
});

test('after close nothing is created, and nothing listens', async () => {
  const cloud = new Cloud();
  await cloud.close();
  const spec = { teamId: 't' } as Parameters<Cloud['create']>[0];
  await expect(cloud.create(spec, 1)).rejects.toMatchObject({ code: 'closed' });

  const local = await startForTest();
  await local.close();
  await expect(fetch(`${local.url}/health`)).rejects.toThrow();
});

test('a taken port is an error, not a crash', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise(resolve => taken.once('listening', resolve));
  const { port } = taken.address() as { port: number };
  await expect(startForTest({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  taken.close();
});

test('an option that is accepted without effect is named in the sandbox’s log and the gateway’s', async () => {
  const warnings: string[] = [];
  const local = await startForTest({ warn: sentence => void warnings.push(sentence) });
  const send = callerOf(local);
  const warned = async (id: string): Promise<string[]> =>
    (await send('GET', `/v2/sandboxes/${id}/logs?level=warn`)).body.logs.map(
      (entry: { message: string }) => entry.message,
    );
  const create = async (more: object): Promise<string> =>
    (await send('POST', '/v2/sandboxes', { templateID: 'base', ...more })).body.sandboxID;

  const deny = { denyOut: ['0.0.0.0/0'] };
  const quiet = await create({ allow_internet_access: false, network: { ...deny, allowPublicTraffic: false } });
  expect(await warned(quiet)).toEqual([]);

  const loud = await create({
    mcp: { server: {} },
    iam: {},
    network: {
      ...deny,
      allowOut: ['example.com'],
      httpsPorts: [443],
      egressProxy: { address: 'proxy.example:1080' },
      rules: { 'example.com': [{ transform: { headers: { a: 'b' } } }] },
    },
  });
  const said = (await warned(loud)).join('\n');
  for (const name of ['allowOut', 'rules', 'egressProxy', 'httpsPorts', 'mcp', 'iam']) expect(said).toContain(name);
  expect(warnings).toHaveLength(6);
  await send('PUT', `/sandboxes/${quiet}/network`, { ...deny, allowOut: ['8.8.8.8'] });
  expect(await warned(quiet)).toEqual([expect.stringMatching(/allowOut opens nothing/)]);
});

test('simultaneous pauses are one; a later one is refused', async () => {
  let asked = 0;
  let release = (): void => {};
  const allAsked = new Promise<void>(resolve => {
    release = resolve;
  });
  const local = await startForTest({
    machineFactory: async () => ({ ...emptyMachine, freeze: () => allAsked }),
    async intercept({ url }) {
      if (url?.endsWith('/pause') && ++asked === 5) setImmediate(release);
      return false;
    },
  });
  const send = callerOf(local);
  const { sandboxID } = (await send('POST', '/v2/sandboxes', { templateID: 'base' })).body;
  const answers = await Promise.all([1, 2, 3, 4, 5].map(() => send('POST', `/sandboxes/${sandboxID}/pause`)));
  expect(answers.map(({ status }) => status)).toEqual([204, 204, 204, 204, 204]);
  expect((await send('POST', `/sandboxes/${sandboxID}/pause`)).status).toBe(409);
  const noMemory = { templateID: 'base', autoPauseMemory: false };
  expect((await send('POST', '/v2/sandboxes', noMemory)).body.message).toMatch(/only applies when autoPause is true/);
  for (const tags of [[':bad'], ['name:'], ['2b1c9a1e-7a52-4a6f-9d3c-0c7f1f0a9b11'], ['']]) {
    expect((await send('POST', '/v3/templates', { name: 'app', tags })).status, tags[0]).toBe(400);
  }
  expect((await send('POST', '/v3/templates', { name: 'app', tags: [' V1 ', 'v1'] })).body.tags).toEqual(['v1']);
});
