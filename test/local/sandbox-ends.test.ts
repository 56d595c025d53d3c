// What is under way when a sandbox is killed or paused, or when its time is over, as E2B's own SDK and a plain client
// see it.
import { TimeoutError } from 'e2b';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from './support/conditions.ts';
import { type Connection, Sandbox, startCloud } from './support/data.ts';
import { envelopes, type Wire, wireOf } from './support/wire.ts';

type Started = Awaited<ReturnType<typeof startCloud>>;
let started: Started;
let connection: Connection;
beforeAll(async () => {
  started = await startCloud('virtual');
  connection = started.connection;
});
afterAll(() => started.local.close());

const create = async () => {
  const sandbox = await Sandbox.create(connection);
  return { sandbox, wire: wireOf(started.local, sandbox.sandboxId) };
};

/** How a stream ended: its messages, and whether it was cut off. */
async function readAll(response: Response): Promise<{ messages: unknown[]; cut: boolean }> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of response.body ?? []) chunks.push(chunk);
    return { messages: envelopes(Buffer.concat(chunks)), cut: false };
  } catch {
    return { messages: envelopes(Buffer.concat(chunks)), cut: true };
  }
}

const START = (cmd: string) => ({ process: { cmd: '/bin/bash', args: ['-l', '-c', cmd] }, stdin: false });

describe.each(['kill', 'pause'] as const)('%s while something is under way', how => {
  it('cuts off a command, without an end event', async () => {
    const { sandbox, wire } = await create();
    const response = await wire.stream('/process.Process/Start', START('echo first; sleep 60'));
    const ended = readAll(response);
    await until(async () => (await wire.unary('/process.Process/List', {})).body.processes?.length === 1);
    await sandbox[how]();
    const { messages, cut } = await ended;
    expect(cut).toBe(true);
    expect(JSON.stringify(messages)).not.toMatch(/"end"|"error"/);
    await sandbox.kill();
  });

  it('cuts off those who follow a command or watch a folder', async () => {
    const { sandbox, wire } = await create();
    const command = await sandbox.commands.run('sleep 60', { background: true });
    command.wait().catch(() => {});
    const streams = [
      await wire.stream('/process.Process/Connect', { process: { pid: command.pid } }),
      await wire.stream('/filesystem.Filesystem/WatchDir', { path: '/home/user' }),
    ];
    const ended = streams.map(readAll);
    await sandbox[how]();
    for (const { messages, cut } of await Promise.all(ended)) {
      expect(cut).toBe(true);
      expect(JSON.stringify(messages)).not.toMatch(/"end"|"error"/);
    }
    await sandbox.kill();
  });

  it('cuts off code, without its last line', async () => {
    const { sandbox, wire } = await create();
    const response = await wire.port(49999, '/execute', { code: 'print("up", flush=True)\nwhile True: pass' });
    let text = '';
    const cut = (async () => {
      try {
        for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString('utf8');
        return false;
      } catch {
        return true;
      }
    })();
    await until(() => text.includes('up'));
    await sandbox[how]();
    expect(await cut).toBe(true);
    expect(text).not.toContain('end_of_execution');
    await sandbox.kill();
  });
});

describe('the SDK', () => {
  it('rejects a command whose sandbox was killed, with the reason', async () => {
    const { sandbox } = await create();
    const command = await sandbox.commands.run('sleep 60', { background: true });
    const waited = command.wait().catch((caught: unknown) => caught);
    await sandbox.kill();
    const error = await waited;
    expect(error).toBeInstanceOf(TimeoutError);
    expect(String(error)).toMatch(/killed or reached its end of life/);
  });

  it('rejects code whose sandbox was killed', async () => {
    const { sandbox } = await create();
    const run = sandbox.runCode('print("up", flush=True)\nwhile True: pass', {
      onStdout: () => void sandbox.kill(),
      timeoutMs: 60_000,
    });
    await expect(run).rejects.toThrow(/killed/);
  });
});

describe('a deadline', () => {
  const late = async (wire: Wire, path: string, request: object) => {
    const response = await wire.stream(path, request, { 'connect-timeout-ms': '150' });
    return (await readAll(response)).messages;
  };

  it('ends a command with an error instead of an end event, and the process with it', async () => {
    const { sandbox, wire } = await create();
    const messages = await late(wire, '/process.Process/Start', START('echo first; sleep 60'));
    expect(messages.at(-1)).toEqual({ error: { code: 'deadline_exceeded', message: 'context deadline exceeded' } });
    expect(JSON.stringify(messages)).not.toContain('"end"');
    expect(await sandbox.commands.list()).toEqual([]);
    await sandbox.kill();
  });

  it('ends a stream that follows, and leaves the process alone', async () => {
    const { sandbox, wire } = await create();
    const command = await sandbox.commands.run('sleep 60', { background: true, timeoutMs: 0 });
    command.wait().catch(() => {});
    for (const [path, request] of [
      ['/process.Process/Connect', { process: { pid: command.pid } }],
      ['/filesystem.Filesystem/WatchDir', { path: '.' }],
    ] as const) {
      expect((await late(wire, path, request)).at(-1)).toMatchObject({ error: { code: 'deadline_exceeded' } });
    }
    expect((await sandbox.commands.list()).map(({ pid }) => pid)).toEqual([command.pid]);
    await sandbox.kill();
  });

  it('holds when the client has gone: the command is killed on time', async () => {
    const { sandbox, wire } = await create();
    const response = await wire.stream('/process.Process/Start', START('sleep 60'), { 'connect-timeout-ms': '400' });
    await response.body?.cancel();
    await until(async () => (await sandbox.commands.list()).length === 0);
    await sandbox.kill();
  });
});
