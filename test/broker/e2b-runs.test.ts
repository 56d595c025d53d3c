// The data plane with real processes: limits of commands, what ends with the run, and what outlives it.
import type { IncomingHttpHeaders } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { Fault } from '../support/faults.ts';
import { newKey } from '../support/gateway.ts';
import { type CommandResult, useProcessRun } from '../support/process-run.ts';

const starts: IncomingHttpHeaders[] = [];
let fault: ((url: string) => Fault | undefined) | undefined;
afterEach(() => {
  fault = undefined;
});

const { parts, command } = useProcessRun({
  onRequest({ url = '', headers }) {
    if (url.endsWith('/process.Process/Start')) starts.push(headers);
    return fault?.(url);
  },
});
const pids = async () => {
  const run = parts.plane.openRun({ key: parts.run.key });
  return (await run.call<{ pid: number }[]>('Sandbox.commands.list', { sandboxId: parts.sandboxId })).map(p => p.pid);
};

describe('a command', () => {
  it('returns a result, whatever its exit code', async () => {
    expect(await command('echo out; echo err >&2; exit 3')).toMatchObject({
      exitCode: 3,
      stdout: 'out\n',
      stderr: 'err\n',
    });
    expect(await command('echo "$NAME in $PWD"', { envs: { NAME: 'n' }, cwd: '/tmp' })).toMatchObject({ exitCode: 0 });
    expect(await command('no-such-program')).toMatchObject({ exitCode: 127 });
  });

  it('that takes too long is killed, and its output is kept', async () => {
    let ended: CommandResult | undefined;
    // On a busy machine the time may be up before the first line or before the start: then it tries with more time.
    for (let timeoutMs = 200; !ended?.stdout; timeoutMs *= 2) {
      ended = await command('echo early; sleep 30', { timeoutMs }).catch((error: Error) => {
        expect(error.message).toMatch(/timed out/);
        return undefined;
      });
      if (ended) expect(ended).toMatchObject({ exitCode: -1, error: expect.stringMatching(/timed out/) });
    }
    expect(ended.stdout).toBe('early\n');
    await expect.poll(pids).toEqual([]);
  });

  it("that used all the run's time gets an error that suggests a background command", async () => {
    const short = parts.plane.openRun({ key: parts.run.key, wallMs: 1_000 });
    const ended = await command('sleep 30', { timeoutMs: 120_000 }, short);
    expect(ended.error).toMatch(
      /^killed after .+ \(1 s in all\); start it with { background: true }, and read its logPath/,
    );
    expect(ended.error).not.toContain('more timeoutMs');
    const waiting = parts.plane.openRun({ key: parts.run.key, wallMs: 1_000 });
    const code = { sandboxId: parts.sandboxId, code: 'import time; time.sleep(30)', opts: { timeoutMs: 120_000 } };
    const { error } = await waiting.call<{ error: { value: string } }>('Sandbox.runCode', code);
    expect(error.value).toMatch(/\(1 s in all\).*start that with commands\.run, { background: true }/);
    expect(error.value).not.toContain('more timeoutMs');
  });

  it("is limited to the run's remaining time", async () => {
    const short = parts.plane.openRun({ key: parts.run.key, wallMs: 1_500 });
    await command('true', {}, short);
    await command('true', { timeoutMs: 600_000 }, short);
    for (const { 'connect-timeout-ms': ms } of starts.slice(-2)) {
      expect(Number(ms)).toBeGreaterThan(0);
      expect(Number(ms)).toBeLessThan(1_500);
    }
  });

  it('that prints a lot keeps head and tail of its output', async () => {
    const { exitCode, stdout, dropped } = await command('echo first; seq 1 400000; echo last');
    expect(exitCode).toBe(0);
    expect(stdout.length).toBeLessThan(1_001_000);
    expect(stdout).toMatch(/^first\n1\n2\n[\s\S]*characters left out[\s\S]*400000\nlast\n$/);
    expect(dropped).toBeGreaterThan(1_000_000);
  });

  it('that prints endlessly is killed', async () => {
    const few = parts.plane.openRun({ key: parts.run.key, limits: { maxAnswerBytes: 3_000_000 } });
    const ended = await command('yes', {}, few);
    expect(ended).toMatchObject({ exitCode: -1, error: expect.stringMatching(/3000000 bytes and was killed/) });
    await expect.poll(pids).toEqual([]);
  });

  it('is killed if the run has no bytes left', async () => {
    const poor = parts.plane.openRun({ key: parts.run.key, limits: { maxRunAnswerBytes: 200_000 } });
    const refused = await poor.refusal('Sandbox.commands.run', { sandboxId: parts.sandboxId, cmd: 'yes' });
    expect(refused.code).toBe('budget_exceeded');
    await expect.poll(pids).toEqual([]);
  });

  it('may print bytes that are not text', async () => {
    expect(await command('head -c 1000 /dev/urandom; echo end')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/end\n$/),
    });
  });

  it('reports its lines as progress while it runs', async () => {
    const lines: string[] = [];
    const watched = parts.plane.openRun({ key: parts.run.key, progress: line => lines.push(line) });
    const first = watched.call('Sandbox.commands.run', {
      sandboxId: parts.sandboxId,
      cmd: 'echo one; read x; echo two',
      opts: { stdin: true, background: true },
    });
    const { pid } = (await first) as CommandResult;
    await expect.poll(() => lines).toContain('one');
    await watched.call('Sandbox.commands.sendStdin', { sandboxId: parts.sandboxId, pid, data: 'go\n' });
    await watched.call('Sandbox.commands.wait', { sandboxId: parts.sandboxId, pid });
    await expect.poll(() => lines.join('\n')).toContain('two');
  });
});

describe('when the run ends', () => {
  it('a foreground command is killed', async () => {
    const leaving = parts.plane.openRun({ key: parts.run.key });
    const ran = leaving.reply('Sandbox.commands.run', { sandboxId: parts.sandboxId, cmd: 'echo on; sleep 30' });
    await expect.poll(async () => (await pids()).length).toBe(1);
    leaving.end();
    expect(await ran).toMatchObject({ ok: false, error: { code: 'cancelled' } });
    await expect.poll(pids).toEqual([]);
  });

  it('a background command goes on without a time limit and can be reached again', async () => {
    const { pid } = await command('read x; echo "got $x" > /tmp/got; sleep 30', { background: true, stdin: true });
    expect(starts.at(-1)?.['connect-timeout-ms']).toBeUndefined();
    parts.run.end();
    expect(await pids()).toEqual([pid]);
    const next = parts.plane.openRun({ key: parts.run.key });
    await next.call('Sandbox.commands.connect', { sandboxId: parts.sandboxId, pid });
    await next.call('Sandbox.commands.sendStdin', {
      sandboxId: parts.sandboxId,
      pid,
      data: { base64: btoa('hello\n') },
    });
    await expect
      .poll(() => next.call('Sandbox.files.exists', { sandboxId: parts.sandboxId, path: '/tmp/got' }))
      .toBe(true);
    expect(await next.call('Sandbox.commands.kill', { sandboxId: parts.sandboxId, pid })).toBe(true);
    expect(await next.call('Sandbox.commands.kill', { sandboxId: parts.sandboxId, pid: 4_000_000 })).toBe(false);
  });

  it('a sandbox that was being created is not left behind', async () => {
    const key = newKey();
    let arrived = false;
    fault = url => {
      if (url !== '/v2/sandboxes') return undefined;
      arrived = true;
      return { delayMs: 300 };
    };
    const leaving = parts.plane.openRun({ key });
    const made = leaving.reply('Sandbox.create', {});
    await expect.poll(() => arrived).toBe(true);
    leaving.end();
    expect(await made).toMatchObject({ ok: false, error: { code: 'cancelled' } });
    expect(leaving.ledger[0]).toMatchObject({ status: 'unknown', write: true });
    const deleted = () => parts.plane.requests.filter(line => line.startsWith('DELETE /sandboxes/')).length;
    const before = deleted();
    await expect.poll(deleted).toBeGreaterThan(before);
    fault = undefined;
    expect(await parts.plane.openRun({ key }).call('Sandbox.list', {})).toMatchObject({ items: [] });
  });
});

describe('a background command', () => {
  it('has output so far, and a result when it has ended', async () => {
    const { pid } = await command('echo one; read x; echo two; exit 4', { background: true, stdin: true });
    const output = () => parts.run.call<CommandResult>('Sandbox.commands.output', { sandboxId: parts.sandboxId, pid });
    await expect.poll(async () => (await output()).stdout).toBe('one\n');
    await parts.run.call('Sandbox.commands.sendStdin', { sandboxId: parts.sandboxId, pid, data: '\n' });
    const ended = { exitCode: 4, stdout: 'one\ntwo\n', stderr: '' };
    expect(await parts.run.call('Sandbox.commands.wait', { sandboxId: parts.sandboxId, pid })).toMatchObject(ended);
    expect(await output()).toMatchObject(ended);
  });

  it('that outlasts the run makes wait() fail before the run ends', async () => {
    const short = parts.plane.openRun({ key: parts.run.key, wallMs: 700 });
    const { pid } = await command('sleep 30', { background: true }, short);
    const refused = await short.refusal('Sandbox.commands.wait', { sandboxId: parts.sandboxId, pid });
    expect(refused).toMatchObject({
      code: 'sandbox_failed',
      message: expect.stringMatching(/TimeoutError.*still runs.*replays no output/),
    });
    await short.call('Sandbox.commands.kill', { sandboxId: parts.sandboxId, pid });
  });

  it('gets a lot of stdin in order', async () => {
    const data = Array.from({ length: 40_000 }, (_, i) => String(i)).join('\n');
    const { pid } = await command('cat > /tmp/in', { background: true, stdin: true });
    await parts.run.call('Sandbox.commands.sendStdin', { sandboxId: parts.sandboxId, pid, data });
    await parts.run.call('Sandbox.commands.closeStdin', { sandboxId: parts.sandboxId, pid });
    await parts.run.call('Sandbox.commands.wait', { sandboxId: parts.sandboxId, pid });
    expect(await parts.run.call('Sandbox.files.read', { sandboxId: parts.sandboxId, path: '/tmp/in' })).toBe(data);
  });

  it('that prints too much goes on, but its output is no longer collected', async () => {
    const few = parts.plane.openRun({ key: parts.run.key, limits: { maxAnswerBytes: 300_000 } });
    const { pid } = await command('seq 1 200000; sleep 30', { background: true }, few);
    const ended = await few.call<CommandResult>('Sandbox.commands.wait', { sandboxId: parts.sandboxId, pid });
    expect(ended).toMatchObject({ exitCode: -1, error: expect.stringMatching(/300000 bytes and goes on/) });
    expect(await pids()).toEqual([pid]);
  });

  it('is refused if twenty are followed already', async () => {
    const started = Array.from({ length: 20 }, () => command('sleep 30', { background: true }));
    const followed = await Promise.all(started);
    const more = { sandboxId: parts.sandboxId, cmd: 'sleep 30', opts: { background: true } };
    expect(await parts.run.refusal('Sandbox.commands.run', more)).toMatchObject({
      code: 'budget_exceeded',
      message: expect.stringMatching(/disconnect/),
    });
    await parts.run.call('Sandbox.commands.disconnect', { sandboxId: parts.sandboxId, pid: followed[0]?.pid });
    await expect.poll(async () => (await parts.run.reply('Sandbox.commands.run', more)).ok).toBe(true);
  });

  it('of another run is not followed without connect', async () => {
    const refused = await parts.run.refusal('Sandbox.commands.wait', { sandboxId: parts.sandboxId, pid: 1 });
    expect(refused).toMatchObject({
      code: 'request_invalid',
      message: expect.stringMatching(/commands\.connect\(1\)/),
    });
  });
});
