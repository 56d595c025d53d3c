// Responses of the API that are JSON, but not of the shape that the SDK expects.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Origin } from '../../src/ground/origin.ts';
import { startDataPlane, type TestDataPlane } from '../support/data-plane.ts';
import { sendJson, startUpstream, type TestUpstream } from '../support/upstream.ts';
import { CALLS, sandboxId } from './api-calls.ts';

let upstream: TestUpstream;
let plane: TestDataPlane;
beforeAll(async () => {
  upstream = await startUpstream();
  plane = await startDataPlane({ maxSandboxesPerKey: 5, connection: { api: new Origin(`${upstream.url}/base`) } });
});
afterAll(async () => {
  await plane.close();
  await upstream.close();
});

const SHAPES: readonly unknown[] = [
  ...[null, 5, 'text', true, [], {}, [null], [[]], [5], { sandboxID: 5 }, { envdVersion: 'x' }],
  { sandboxID: sandboxId, state: 'running', envdVersion: 5, templateID: 'x' },
  { sandboxID: sandboxId, state: 'running', envdVersion: 'soon', domain: 'a b/', templateID: 'x' },
  { sandboxID: sandboxId, state: 'running', envdVersion: '0.4.0', domain: 7, templateID: {}, metadata: [] },
  { sandboxID: '../teams', state: {}, envdVersion: '0.4.0', templateID: 'x', startedAt: {}, endAt: 'never' },
  { sandboxID: {}, sandboxId: [], state: 'running', envdVersion: {}, envdAccessToken: 8, domain: {} },
];

it.each(CALLS)('a response of an unexpected shape is not an internal error: %s', async (capability, args) => {
  for (const shape of SHAPES)
    for (const status of [200, 201, 400]) {
      upstream.answer = (_, response) => sendJson(response, shape, status);
      const run = plane.openRun();
      const reply = await run.reply(capability, args);
      const seen = `${status} ${JSON.stringify(shape)}: ${JSON.stringify(reply).slice(0, 300)}`;
      expect(run.faults, seen).toEqual([]);
      expect(seen).not.toMatch(/"code":"internal"|node_modules|\.[jt]s:\d/);
      run.end();
    }
});
