// The frames between runner and engine: any division into pieces, and sandboxes that lie, flood or send nothing.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalCloud } from '../../../local/server.ts';
import type { CallHost, Outcome } from '../../../src/engine/engine.ts';
import { FrameReader } from '../../../src/engine/microvm/stdout.ts';
import { MARK, type RunnerFrame, toAscii } from '../../../src/engine/microvm/wire.ts';
import { KIND } from '../../../src/engine/protocol.ts';
import { wholeText } from '../../../src/ground/json-text.ts';
import { expectWellFormed, Harness } from '../../contract/harness.ts';
import { PATIENT } from '../../local/support/control.ts';
import { microvmEngine, runInPlaceOfRunner, startProcessCloud, UNANSWERED } from '../../support/microvm.ts';

const message = (kind: number, id: number, p: string): RunnerFrame => ({ t: 'message', kind, id, cpuMs: 1, p });
const line = (frame: RunnerFrame) => `${MARK}${toAscii(frame)}\n`;

describe('frames', () => {
  it('arrive complete and in order, however the bytes are divided and whatever is between them', () => {
    const text = fc.string({ unit: 'binary', maxLength: 50 });
    const noise = text.map(other => `${other.replaceAll(MARK, '')}\n`);
    const pieces = fc.array(
      fc.oneof(
        text.map(payload => ({ payload })),
        noise,
      ),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(pieces, fc.array(fc.nat(200), { maxLength: 40 }), (items, cuts) => {
        const frames = items.flatMap(item => (typeof item === 'string' ? [] : [message(KIND.log, 1, item.payload)]));
        const bytes = Buffer.from(
          items.map(item => (typeof item === 'string' ? item : line(message(KIND.log, 1, item.payload)))).join(''),
        );
        const decoder = new TextDecoder();
        const reader = new FrameReader();
        const read: RunnerFrame[] = [];
        let at = 0;
        for (const cut of cuts) {
          read.push(...reader.read(decoder.decode(bytes.subarray(at, at + cut), { stream: true })));
          at += cut;
        }
        read.push(...reader.read(decoder.decode(bytes.subarray(at))));
        expect(read).toEqual(frames);
      }),
    );
  });

  it('are ASCII for any payload', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), payload => {
        const text = toAscii({ payload });
        expect(text).toMatch(/^[\x20-\x7e]*$/);
        expect(JSON.parse(text)).toEqual({ payload });
      }),
    );
    expect(JSON.parse(toAscii('\ud800x'))).toBe('\ud800x');
  });

  it.each([
    ['no JSON', `${MARK}{"t":`],
    ['another type', `${MARK}{"t":"other"}`],
    ['a negative id', line({ ...message(0, 1, ''), id: -1 } as RunnerFrame)],
    ['a payload that is no text', `${MARK}{"t":"message","kind":1,"id":1,"cpuMs":1,"p":5}`],
    ['a file by name', `${MARK}{"t":"message","kind":3,"id":1,"cpuMs":1,"file":"../../etc/passwd","bytes":5}`],
  ])('with %s are refused', (_what, text) => {
    expect(() => [...new FrameReader().read(`${text}\n`)]).toThrow(/frame/);
  });

  it('are limited: endless lines are skipped, endless output is an error', () => {
    const reader = new FrameReader();
    for (let i = 0; i < 50; i++) expect([...reader.read('x'.repeat(10_000))]).toEqual([]);
    expect([...reader.read(`\n${line({ t: 'started' })}`)]).toEqual([{ t: 'started' }]);
    expect(() => {
      for (let i = 0; i < 1_000; i++) [...reader.read(`${'y'.repeat(9_999)}\n`)];
    }).toThrow(/too much/);
  });

  it('take time in proportion to their length, also in small pieces', () => {
    const costOf = (lineChars: number) => {
      const reader = new FrameReader();
      const start = performance.now();
      for (let i = 1; i <= 300_000; i++) for (const _ of reader.read(i % lineChars === 0 ? '\n' : 'x')) expect.fail();
      return performance.now() - start;
    };
    const [short, long] = [10, 100_000].map(chars => Math.min(costOf(chars), costOf(chars))) as [number, number];
    expect(long / short).toBeLessThan(8);
  });
});

describe('a runner that the guest has replaced', () => {
  let cloud: LocalCloud;
  beforeAll(async () => {
    cloud = await startProcessCloud();
  });
  afterAll(() => cloud.close());

  /** Long enough that only a run that never ends reaches it. */
  const WALL_MS = 20_000;

  async function runHostile(code: string, wallMs = WALL_MS): Promise<Outcome> {
    const outcome = await runInPlaceOfRunner(cloud, code, wallMs);
    expectWellFormed(outcome);
    await expect.poll(() => cloud.cloud.all().length, PATIENT).toBe(0);
    return outcome;
  }

  const DONE = `message(${KIND.done}, 0, '1')`;
  const LOST = { status: 'failed', error: { code: 'engine_lost' } };
  /** What the host does for a flood counts as the run's CPU time, so on a slow machine that is used up first. */
  const FLOODED = { error: { code: expect.stringMatching(/^(?:engine_lost|cpu_exceeded)$/) } };
  const TIME_OVER = { status: 'failed', error: { code: 'time_exceeded' } };

  it.each<[what: string, code: string, outcome: object]>([
    ['prints other text', `write('hello ${MARK}\\n\\u00e9\\u0000'.repeat(1000)); write('\\n'); ${DONE}`, { json: '1' }],
    ['prints broken UTF-8', `fs.writeSync(1, Buffer.from([0xc3, 0x28, 0xff, 10])); ${DONE}`, { json: '1' }],
    [
      'writes a frame byte by byte',
      `for (const c of ${JSON.stringify(line(message(KIND.done, 0, '2')))}) fs.writeSync(1, c)`,
      { json: '2' },
    ],
    [
      'sends two results: the first counts',
      `message(${KIND.done}, 0, '"first"'); message(${KIND.done}, 0, '"second"')`,
      { json: '"first"' },
    ],
    ['ends with a result that is not JSON', `message(${KIND.done}, 0, '{"a":')`, LOST],
    ['sends a malformed frame', `sendFrame({ t: 'message', kind: 0 })`, LOST],
    ['sends a message of an unknown kind', `message(99, 0, '')`, LOST],
    ['calls without a capability', `message(${KIND.call}, 1, 'x')`, LOST],
    ['opens timers on the host', `message(${KIND.timer}, 1, '5')`, LOST],
    [
      'has more calls open than it may',
      `const calls = Array.from({ length: 200 }, (_, i) => ${JSON.stringify(MARK)} + JSON.stringify({ t: 'message', kind: 0, id: i + 1, cpuMs: 1, p: '${UNANSWERED}\\n{}' }) + '\\n'); write(calls.join(''))`,
      LOST,
    ],
    ['displays invalid base64', `message(${KIND.display}, 9, 'image/png?')`, LOST],
    ['asks for random bytes', `message(${KIND.random}, 0, '65536')`, LOST],
    [
      'floods stdout with frames that have no effect',
      `const frame = ${JSON.stringify(MARK)} + JSON.stringify({ t: 'message', kind: 7, id: 0, cpuMs: 1, p: '9' }) + '\\n'; for (let i = 0; i < 100; i++) write(frame.repeat(1000))`,
      FLOODED,
    ],
    [
      'floods stdout with empty pieces of log',
      `const frame = ${JSON.stringify(MARK)} + JSON.stringify({ t: 'message', kind: ${KIND.log}, id: 1, cpuMs: 1, p: '' }) + '\\n'; for (let i = 0; i < 100; i++) write(frame.repeat(1000))`,
      FLOODED,
    ],
    ['floods stdout', `for (;;) write('x'.repeat(60000) + '\\n')`, FLOODED],
    [
      'floods stderr',
      `setInterval(() => { for (let i = 0; i < 50; i++) fs.writeSync(2, 'x'.repeat(60000)) }, 1)`,
      FLOODED,
    ],
    [
      'logs without end',
      `for (let i = 0; i < 300; i++) message(${KIND.log}, 1, 'x'.repeat(1000)); ${DONE}`,
      { json: '1', droppedLogChars: expect.any(Number) },
    ],
    ['exits', 'process.exit(0)', LOST],
    ['dies of a signal', `process.kill(process.pid, 'SIGTERM')`, LOST],
    ['runs out of memory', `process.kill(process.pid, 'SIGKILL')`, { error: { code: 'memory_exceeded' } }],
    ['keeps silent', '', TIME_OVER],
    [
      'never reads its stdin',
      `process.stdin.pause(); for (let i = 1; i < 20; i++) message(${KIND.call}, i, 'api.request\\n{"x":"' + 'y'.repeat(12000) + '"}')`,
      TIME_OVER,
    ],
    [
      'names a file that does not exist',
      `sendFrame({ t: 'message', kind: ${KIND.done}, id: 0, cpuMs: 1, file: 1, bytes: 5 })`,
      LOST,
    ],
    [
      'names a file that is longer than announced',
      `fs.writeFileSync(folder + '/out-1', '"' + 'x'.repeat(100) + '"'); sendFrame({ t: 'message', kind: ${KIND.done}, id: 0, cpuMs: 1, file: 1, bytes: 5 })`,
      LOST,
    ],
    [
      'names a file that is shorter than announced',
      `fs.writeFileSync(folder + '/out-1', '1'); sendFrame({ t: 'message', kind: ${KIND.done}, id: 0, cpuMs: 1, file: 1, bytes: 5 })`,
      LOST,
    ],
    [
      'returns a file that is not JSON',
      `fs.writeFileSync(folder + '/out-1', '{"a":'); sendFrame({ t: 'message', kind: ${KIND.done}, id: 0, cpuMs: 1, file: 1, bytes: 5 })`,
      LOST,
    ],
    [
      'returns a file of JSON after a note',
      `fs.writeFileSync(folder + '/out-1', 'note[1]'); sendFrame({ t: 'message', kind: ${KIND.done}, id: 4, cpuMs: 1, file: 1, bytes: 7 })`,
      { status: 'completed', json: '[1]', note: 'note' },
    ],
    [
      'displays a file that is not base64',
      `fs.writeFileSync(folder + '/out-1', 'image/png?AAA'); sendFrame({ t: 'message', kind: ${KIND.display}, id: 9, cpuMs: 1, file: 1, bytes: 13 })`,
      LOST,
    ],
    [
      'displays a file of base64',
      `fs.writeFileSync(folder + '/out-1', 'image/pngAQ=='); sendFrame({ t: 'message', kind: ${KIND.display}, id: 9, cpuMs: 1, file: 1, bytes: 13 }); ${DONE}`,
      { json: '1', displays: [{ kind: 'blob', mimeType: 'image/png' }] },
    ],
    ['writes a frame of many values', `sendFrame({ t: 'started', more: Array(100).fill(0) })`, LOST],
    [
      'names a file over the limit',
      `fs.writeFileSync(folder + '/out-1', '1'); sendFrame({ t: 'message', kind: ${KIND.done}, id: 0, cpuMs: 1, file: 1, bytes: 1e9 })`,
      LOST,
    ],
    [
      'names an endless file',
      `fs.symlinkSync('/dev/zero', folder + '/out-1'); sendFrame({ t: 'message', kind: ${KIND.done}, id: 0, cpuMs: 1, file: 1, bytes: 100000 })`,
      LOST,
    ],
    [
      'reports an extreme CPU time',
      `sendFrame({ t: 'end', reason: 'cpu', cpuMs: 9e15 })`,
      // The host's own work for the run is added.
      { error: { code: 'cpu_exceeded' }, cpuMs: expect.closeTo(16 * WALL_MS, -3) },
    ],
  ])('that %s', async (_what, code, outcome) => {
    expect(await runHostile(code, outcome === TIME_OVER ? 1_500 : WALL_MS)).toMatchObject(outcome);
  });

  it('has no key in its files, its environment or its command line', async () => {
    const look = `
      const of = path => { try { return fs.readFileSync(path, 'latin1') } catch { return '' } };
      const files = fs.readdirSync(folder).map(name => of(folder + '/' + name));
      const all = of('/proc/self/environ') + of('/proc/self/cmdline') + files.join('');
      message(${KIND.done}, 0, JSON.stringify({ length: all.length > 1000, keys: all.match(/e2b_[0-9a-f]{16,}/gi) ?? [], TZ: process.env.TZ }))`;
    const outcome = await runHostile(look);
    expect(outcome).toMatchObject({ json: '{"length":true,"keys":[],"TZ":"UTC"}' });
  });
});

describe('large payloads', () => {
  let cloud: LocalCloud;
  const guest = new Harness();
  beforeAll(async () => {
    cloud = await startProcessCloud();
    await guest.open(async () => microvmEngine(cloud));
  });
  afterAll(async () => {
    await guest.close();
    await cloud.close();
  });

  it('are sent as files in both directions, byte for byte', async () => {
    const big = 'é🎉\u0000"\\\n'.repeat(20_000);
    const callHost: CallHost = async ({ argsJson }) => ({ ok: true, json: argsJson });
    const source = `async () => { const b = ${JSON.stringify(big)}; return (await api.request({ b })).b === b && b }`;
    expect(await guest.value(source, { callHost })).toBe(big);
  });

  it('of many concurrent calls keep their order and belong to the right call', async () => {
    const callHost: CallHost = async ({ argsJson }) => {
      const { n, size } = JSON.parse(wholeText(argsJson)) as { n: number; size: number };
      return { ok: true, json: JSON.stringify({ n, text: String(n).repeat(size) }) };
    };
    const source = `async () => {
      const sizes = [1, 20000, 10, 70000, 5000, 3, 30000, 100];
      const got = await Promise.all(sizes.map((size, n) => api.request({ n, size })));
      return got.map(({ n, text }, i) => n === i && text === String(n).repeat(sizes[i]));
    }`;
    expect(await guest.value(source, { callHost })).toEqual(Array(8).fill(true));
  });
});
