// A sandbox whose daemon the agent has replaced: its responses are measured before they are decoded, and no other run
// waits for it.
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDataPlane, type TestDataPlane } from '../support/data-plane.ts';

let server: Server;
let answer: RequestListener;
let plane: TestDataPlane;
let run: ReturnType<TestDataPlane['openRun']>;
let sandboxId: string;
beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume();
    answer(request, response);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const sandboxUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  plane = await startDataPlane({ connection: { sandboxUrl } });
  run = plane.openRun({ limits: { maxRunAnswerBytes: 1_000_000_000 } });
  ({ sandboxId } = await run.call<{ sandboxId: string }>('Sandbox.create', {}));
});
afterAll(async () => {
  expect(run.faults).toEqual([]);
  run.end();
  await plane.close();
  server.close().closeAllConnections();
});

const json = (body: string): RequestListener => {
  return (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(body);
};
const stream = (messages: readonly Buffer[]): RequestListener => {
  const body = Buffer.concat(messages);
  return (_, response) => response.writeHead(200, { 'content-type': 'application/connect+json' }).end(body);
};
const framed = (event: object) => {
  const text = Buffer.from(JSON.stringify({ event }));
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(text.length, 1);
  return Buffer.concat([prefix, text]);
};

it.each<[capability: string, args: object, field: string]>([
  ['Sandbox.files.list', { path: '/tmp' }, 'entries'],
  ['Sandbox.commands.list', {}, 'processes'],
  ['Sandbox.files.getInfo', { path: '/tmp' }, 'entry'],
])('a response to %s with too many values is refused with the limit', async (id, args, field) => {
  answer = json(`{"${field}":[${'{},'.repeat(1_000_000)}{}]}`);
  expect(await run.refusal(id, { sandboxId, ...args })).toMatchObject({
    code: 'answer_too_large',
    message: expect.stringMatching(/more than 100000 values/),
  });
});

it('a response to an upload with too many values is refused', async () => {
  answer = json(`[${'{},'.repeat(1_000_000)}{}]`);
  const args = { sandboxId, files: [{ path: '/tmp/x', data: 'x' }], single: true };
  expect(await run.refusal('Sandbox.files.write', args)).toMatchObject({ code: 'answer_too_large' });
});

it.each([
  ['keepalives', framed({ keepalive: {} })],
  ['pieces of output', framed({ data: { stdout: 'eA==' } })],
])('thousands of %s from a command count as CPU time of the run', async (_what, message) => {
  const flood = stream([framed({ start: { pid: 7 } }), ...Array<Buffer>(10_000).fill(message)]);
  answer = (request, response) =>
    request.url?.endsWith('/Start') === true ? flood(request, response) : json('{}')(request, response);
  const own = plane.openRun();
  const { sandboxId: copy } = await own.call<{ sandboxId: string }>('Sandbox.create', {});
  let turns = 0;
  let turning = true;
  const count = () => {
    turns += 1;
    if (turning) setImmediate(count);
  };
  count();
  const usedBefore = process.cpuUsage();
  await own.reply('Sandbox.commands.run', { sandboxId: copy, cmd: 'true' });
  turning = false;
  const usedMs = process.cpuUsage(usedBefore).user / 1_000;
  // The rest is used by the daemon, which runs in this process as well.
  expect(own.hostMs()).toBeGreaterThan(usedMs / 4);
  expect(turns).toBeGreaterThan(own.hostMs() / 40);
  expect(own.faults).toEqual([]);
  own.end();
});

it('a command whose messages use up the CPU time is ended', async () => {
  const flood = stream([framed({ start: { pid: 7 } }), ...Array<Buffer>(50_000).fill(framed({ keepalive: {} }))]);
  answer = (request, response) =>
    request.url?.endsWith('/Start') === true ? flood(request, response) : json('{}')(request, response);
  const own = plane.openRun({ limits: { maxHostMs: 20 } });
  const { sandboxId: copy } = await own.call<{ sandboxId: string }>('Sandbox.create', {});
  expect(await own.refusal('Sandbox.commands.run', { sandboxId: copy, cmd: 'true' })).toMatchObject({
    code: 'cpu_exceeded',
  });
  own.end();
});

it('a list of code contexts with too many values is refused with the limit', async () => {
  answer = json(`[${'{},'.repeat(20_000)}{}]`);
  expect(await run.refusal('Sandbox.listCodeContexts', { sandboxId })).toMatchObject({
    code: 'answer_too_large',
    message: expect.stringMatching(/more than 10000 values/),
  });
});

describe('events of code', () => {
  const events = (line: string, count: number): RequestListener => {
    return (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(line.repeat(count));
  };

  it('are limited in number', async () => {
    answer = events('{}\n', 400_000);
    expect(await run.refusal('Sandbox.runCode', { sandboxId, code: '1' })).toMatchObject({
      code: 'answer_too_large',
      message: expect.stringMatching(/more than 200000 events/),
    });
  });

  it('with too many values are left out and counted', async () => {
    answer = events(`{"type":"result","text":"x","json":[${'{},'.repeat(200_000)}{}]}\n`, 1);
    const execution = await run.call<{ results: unknown[]; logs: { stderr: string[] } }>('Sandbox.runCode', {
      sandboxId,
      code: '1',
    });
    expect(execution.results).toEqual([]);
    expect(execution.logs.stderr.join('')).toMatch(/1 results left out.*100000 values/);
  });
});

it('a body after a status without body does not count as an internal error', async () => {
  answer = (_, response) => response.writeHead(204).end('body');
  for (const [id, args] of [
    ['Sandbox.listCodeContexts', {}],
    ['Sandbox.files.list', { path: '/tmp' }],
    ['Sandbox.fetch', { port: 80, path: '/' }],
  ] as const)
    expect((await run.reply(id, { sandboxId, ...args })) as object, id).not.toMatchObject({
      error: { code: 'internal' },
    });
});
