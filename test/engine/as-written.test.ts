// Runs whose code is as the agent wrote it: the worker accepts it, or the run ends as unread before anything has run.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Engine, Outcome } from '../../src/engine/engine.ts';
import { builtFile } from '../../src/ground/built.ts';
import { delayed, openEngine, start } from '../support/engine-runs.ts';

let on: Engine;
beforeAll(async () => {
  on = await openEngine({ reader: builtFile('guest/accept/plain.js'), workers: 1, maxWorkers: 1 });
  // A worker loads its reader after it is ready; until then each such run is unread.
  for (let outcome: Outcome | undefined; outcome?.status !== 'completed'; )
    outcome = await start(on, 'return 1', { asWritten: true });
});
afterAll(() => on.close());

it.each([
  ['a function', "async () => (await api.request({ method: 'GET' })).status", '200'],
  ['a bare body', 'const a = 1;\nreturn a + 1', '2'],
  ['a last expression', 'const a = 1;\na + 2', '3'],
])('%s runs without the acceptor', async (_what, code, json) => {
  expect(await start(on, code, { asWritten: true, callHost: delayed(1) })).toMatchObject({ status: 'completed', json });
});

it('an error has the line of the agent’s text', async () => {
  const outcome = await start(on, 'const a = 1;\n\nnope()', { asWritten: true });
  expect(outcome).toMatchObject({ status: 'failed', error: { name: 'ReferenceError', line: 3 } });
});

it('TypeScript ends as unread without running, and the worker continues with other runs', async () => {
  let calls = 0;
  const callHost = async () => {
    calls++;
    return { ok: true, json: 'null' } as const;
  };
  const typed = 'await api.request({ method: "GET" });\nconst a: number = 1;\nreturn a';
  expect(await start(on, typed, { asWritten: true, callHost })).toMatchObject({ status: 'unread', stdout: '' });
  expect(calls).toBe(0);
  expect(await start(on, 'return 4', { asWritten: true })).toMatchObject({ status: 'completed', json: '4' });
});

it('on an engine without a reader it ends as unread', async () => {
  const without = await openEngine({ workers: 1 });
  expect(await start(without, 'async () => 1', { asWritten: true })).toMatchObject({ status: 'unread' });
  expect(await start(without, 'async () => 1')).toMatchObject({ status: 'completed', json: '1' });
  await without.close();
});
