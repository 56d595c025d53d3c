// Runs that are interrupted for a user's approval and continued on another engine: the function runs again, and neither it
// nor the API that its calls reach can notice it.
import { describe, expect, it } from 'vitest';
import type { AskHost, GuestCall, GuestReply, Outcome } from '../../src/engine/engine.ts';
import { type Recording, Tape } from '../../src/engine/tape.ts';
import { wholeText } from '../../src/ground/json-text.ts';
import { type State, stateBytes, stateIn } from '../../src/mcp/approvals/state.ts';
import type { Harness, RunOptions } from './harness.ts';

type Decision = GuestCall['decision'];
type Decide = (held: ReadonlyMap<number, unknown>, round: number) => ReadonlyMap<number, Decision>;

const refusal: GuestReply = { ok: false, error: { name: 'GatewayError', code: 'approval_refused', message: 'no' } };

/** An API that replies to each call once; a call with `end` needs approval. */
function world(delayMs: (n: number) => number = () => 0) {
  const sent: string[] = [];
  const askHost: AskHost = async ({ argsJson: args, decision }) => {
    const argsJson = wholeText(args);
    const ends = argsJson.includes('"end"');
    if (ends && decision === undefined) return { held: argsJson };
    if (ends && decision !== 'approved') return refusal;
    sent.push(argsJson);
    const { length } = sent;
    await new Promise(resolve => setTimeout(resolve, delayMs(length)));
    return { ok: true, json: JSON.stringify({ answer: length, to: JSON.parse(argsJson) }) };
  };
  return { sent, askHost };
}

const approveAll: Decide = held => new Map([...held.keys()].map(id => [id, 'approved']));

type Taped = { readonly outcome: Outcome; readonly rounds: number; readonly asked: readonly unknown[][] };

/** What is left of a recording after it was written for a client and read again. */
const keptByClient = (recording: Recording): Recording =>
  stateIn(new Uint8Array(stateBytes({ recording } as State))).recording;

/** Runs until no question is left. */
export async function runToEnd(
  guest: Harness,
  source: string,
  { askHost, decide = approveAll, ...rest }: { askHost: AskHost; decide?: Decide } & RunOptions,
): Promise<Taped> {
  let recording: Recording | undefined;
  let decisions: ReadonlyMap<number, Decision> = new Map();
  const asked: unknown[][] = [];
  for (let rounds = 1; ; rounds++) {
    const tape = new Tape({ askHost, maxChars: 100_000, hold: () => true, recording, decisions });
    const outcome = await guest.run(source, { ...rest, tape });
    if (outcome.status !== 'suspended') return { outcome, rounds, asked };
    asked.push([...tape.held.values()]);
    decisions = decide(tape.held, rounds);
    recording = keptByClient(tape.recording());
  }
}

const resultOf = (outcome: Outcome): unknown => {
  if (outcome.status !== 'completed') expect.fail(JSON.stringify(outcome));
  return JSON.parse(outcome.json);
};

export function tape(guest: Harness): void {
  describe('a run with a tape', () => {
    it('that needs no approval ends like any other', async () => {
      const { askHost, sent } = world();
      const { outcome, rounds } = await runToEnd(guest, 'async () => (await api.request({ n: 1 })).to', { askHost });
      expect([resultOf(outcome), rounds, sent]).toEqual([{ n: 1 }, 1, ['{"n":1}']]);
    });

    it('continues after its approval with its earlier values, and sends nothing twice', async () => {
      const { askHost, sent } = world();
      const source = `async () => {
        const before = [Math.random(), crypto.randomUUID(), Date.now(), await api.request({ n: 1 }), new Date().getTime()];
        const ended = await api.request({ end: 1 });
        return { before, after: [Math.random(), ended.to], same: globalThis.seen };
      }`;
      const tapes: unknown[] = [];
      const { outcome, rounds } = await runToEnd(guest, source, {
        askHost,
        decide: (held, round) => {
          tapes.push([...sent]);
          return approveAll(held, round);
        },
      });
      expect(rounds).toBe(2);
      expect(tapes).toEqual([['{"n":1}']]);
      expect(sent).toEqual(['{"n":1}', '{"end":1}']);
      expect(resultOf(outcome)).toMatchObject({ after: [expect.any(Number), { end: 1 }] });
    });

    it('gets the same random numbers and times in the replay as in the first run', async () => {
      const { askHost, sent } = world();
      const source = `async () => {
        const now = [Math.random(), crypto.randomUUID(), [...crypto.getRandomValues(new Uint8Array(4))], Date.now(),
          new Date().toISOString(), performance.now(), new Intl.DateTimeFormat('en', { timeStyle: 'medium' }).format()];
        await api.request({ now });
        await new Promise(r => setTimeout(r, 20));
        const later = [Date.now() - now[3] >= 20, Math.random(), Date.now(), String(new Date()), Date()];
        await api.request({ later });
        await api.request({ end: [now, later] });
        return [now, later];
      }`;
      const { outcome } = await runToEnd(guest, source, { askHost });
      const [now, later] = resultOf(outcome) as unknown[][];
      expect(sent.map(text => JSON.parse(text))).toEqual([{ now }, { later }, { end: [now, later] }]);
      expect(later?.[0]).toBe(true);
    });

    it('gets the events of its calls again, each at the same place, and none twice', async () => {
      let runs = 0;
      const askHost: AskHost = async ({ capability, decision }, _signal, emit) => {
        if (capability === 'Sandbox.kill' && decision === undefined) return { held: 'kill' };
        if (capability === 'Sandbox.connect') return { ok: true, json: '{"sandboxId":"i0abc","domain":"example.org"}' };
        if (capability !== 'Sandbox.commands.run') return { ok: true, json: 'true' };
        runs += 1;
        emit?.('[["stdout","a"]]');
        await new Promise(resolve => setTimeout(resolve, 20));
        emit?.('[["stdout","b"],["stdout","c"]]');
        return { ok: true, json: '{"exitCode":0,"stdout":"","stderr":""}' };
      };
      const source = `async () => {
        const sbx = await Sandbox.connect('i0abc'), seen = [];
        const onStdout = async text => { seen.push(text, Date.now()); await sbx.files.read('/' + text) };
        await sbx.commands.run('x', { onStdout });
        const before = [...seen];
        await sbx.kill();
        await sbx.commands.run('y', { onStdout });
        return [before.filter(x => typeof x === 'string'), seen.filter(x => typeof x === 'string')];
      }`;
      const { outcome, rounds } = await runToEnd(guest, source, { askHost });
      expect(resultOf(outcome)).toEqual([
        ['a', 'b', 'c'],
        ['a', 'b', 'c', 'a', 'b', 'c'],
      ]);
      expect([rounds, runs]).toEqual([2, 2]);
    });

    it('asks about concurrent calls together, when all other calls have their replies', async () => {
      const { askHost, sent } = world(n => (n === 1 ? 30 : 0));
      const source = `async () => {
        const slow = api.request({ n: 1 }).then(() => api.request({ end: 3 }));
        return (await Promise.all([api.request({ end: 1 }), api.request({ end: 2 }), slow])).map(({ to }) => to.end);
      }`;
      const { outcome, asked } = await runToEnd(guest, source, { askHost });
      expect(asked).toEqual([['{"end":1}', '{"end":2}', '{"end":3}']]);
      expect([resultOf(outcome), sent]).toEqual([
        [1, 2, 3],
        ['{"n":1}', '{"end":1}', '{"end":2}', '{"end":3}'],
      ]);
    });

    it('can catch a refusal, and may then need further approvals', async () => {
      const { askHost, sent } = world();
      const source = `async () => {
        const out = [];
        for (const end of [1, 2, 3]) out.push(await api.request({ end }).then(a => a.to.end, e => e.code));
        return out;
      }`;
      const decide: Decide = (held, round) =>
        new Map([...held.keys()].map(id => [id, round === 2 ? 'refused' : 'approved']));
      const { outcome, rounds } = await runToEnd(guest, source, { askHost, decide });
      expect([resultOf(outcome), rounds, sent]).toEqual([[1, 'approval_refused', 3], 4, ['{"end":1}', '{"end":3}']]);
    });

    it('ends with the error code if it does not catch a refusal', async () => {
      const { outcome } = await runToEnd(guest, 'async () => { await api.request({ end: 1 }) }', {
        ...world(),
        decide: held => new Map([...held.keys()].map(id => [id, 'refused'])),
      });
      expect(outcome).toMatchObject({ status: 'failed', error: { code: 'approval_refused', line: 1 } });
    });

    it('fires timers in the same order again, and continues those that had not fired', async () => {
      const { askHost, sent } = world();
      const source = `async () => {
        const order = [];
        const wait = (ms, name) => new Promise(r => setTimeout(() => { order.push(name); r() }, ms));
        const long = wait(150, 'long');
        let ticks = 0;
        const id = setInterval(() => { order.push('tick' + ++ticks); if (ticks === 2) clearInterval(id) }, 5);
        await wait(40, 'short');
        await api.request({ end: order });
        order.push('ended');
        await long;
        return order;
      }`;
      const { outcome, rounds } = await runToEnd(guest, source, { askHost });
      const { end } = JSON.parse(sent[0] ?? '{}') as { end: string[] };
      const order = resultOf(outcome) as string[];
      expect(rounds).toBe(2);
      expect(end.includes('short')).toBe(true);
      expect(order.slice(0, end.length)).toEqual(end);
      expect([...order].sort()).toEqual(['ended', 'long', 'short', 'tick1', 'tick2']);
    });

    it('is interrupted for a question although an interval is running', async () => {
      const source = `async () => {
        const id = setInterval(() => {}, 1);
        const { to } = await api.request({ end: 1 });
        clearInterval(id);
        return to;
      }`;
      const { outcome } = await runToEnd(guest, source, world());
      expect(resultOf(outcome)).toEqual({ end: 1 });
    });

    it('ends a loop that waits for the clock', async () => {
      const source = 'async () => { const until = Date.now() + 20; while (Date.now() < until); return "done" }';
      expect(resultOf((await runToEnd(guest, source, world())).outcome)).toBe('done');
    });

    it('has its logs only once', async () => {
      const source = 'async () => { console.log("a"); await api.request({ end: 1 }); console.log("b") }';
      expect((await runToEnd(guest, source, world())).outcome.stdout).toBe('a\nb\n');
    });

    it.each([
      ['another call', 'async () => { await api.request({ n: 2 }); await api.request({ end: 1 }) }'],
      [
        'one more call',
        'async () => { await Promise.all([api.request({ n: 1 }), api.request({ n: 3 })]); await api.request({ end: 1 }) }',
      ],
      ['fewer calls', 'async () => { await api.request({ n: 1 }); await new Promise(r => setTimeout(r, 10_000)) }'],
      ['another held call', 'async () => { await api.request({ n: 1 }); await api.request({ end: 2 }) }'],
      ['a timer instead', 'async () => { await new Promise(r => setTimeout(r, 5)); await api.request({ end: 1 }) }'],
      ['an error', 'async () => { await api.request({ n: 1 }); throw new Error("other") }'],
      ['an earlier end', 'async () => { await api.request({ n: 1 }); return 1 }'],
    ])('fails without sending anything if the code behaves differently in the replay: %s', async (_what, other) => {
      const { askHost, sent } = world();
      const first = new Tape({ askHost, maxChars: 1_000, hold: () => true });
      const source = 'async () => { await api.request({ n: 1 }); await api.request({ end: 1 }) }';
      expect((await guest.run(source, { tape: first })).status).toBe('suspended');
      const decisions = approveAll(first.held, 1);
      const second = new Tape({ askHost, maxChars: 1_000, hold: () => true, recording: first.recording(), decisions });
      const outcome = await guest.run(other, { tape: second });
      expect(outcome).toMatchObject({ status: 'failed', error: { code: 'replay_diverged' } });
      expect(sent).toEqual(['{"n":1}']);
    });

    it('cannot be interrupted if its replies are larger than the tape may keep', async () => {
      const { askHost, sent } = world();
      const source = 'async () => { await api.request({ text: "x".repeat(5000) }); await api.request({ end: 1 }) }';
      const outcome = await guest.run(source, { tape: new Tape({ askHost, maxChars: 1_000, hold: () => true }) });
      expect(outcome).toMatchObject({ status: 'failed', error: { code: 'approval_too_large' } });
      expect(sent).toHaveLength(1);
    });

    it('gets large replies again', async () => {
      const { askHost } = world();
      const source = `async () => {
        const many = await Promise.all([1, 2, 3].map(n => api.request({ n, text: String(n).repeat(n === 2 ? 30_000 : 10) })));
        await api.request({ end: many.map(({ to }) => to.text.length) });
        return many.map(({ to }) => [to.n, to.text.length]);
      }`;
      expect(resultOf((await runToEnd(guest, source, { askHost })).outcome)).toEqual([
        [1, 10],
        [2, 30_000],
        [3, 10],
      ]);
    });
  });
}
