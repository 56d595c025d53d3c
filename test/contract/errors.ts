// Errors of the agent's code: name, message and place, in the agent's line numbers.
import { describe, expect, it } from 'vitest';
import type { CallHost } from '../../src/engine/engine.ts';
import type { Harness } from './harness.ts';

export function errors(guest: Harness): void {
  describe('errors', () => {
    it('of a refused call have the line of the call, unless a stack hook throws', async () => {
      const callHost: CallHost = async () => ({
        ok: false,
        error: { name: 'GatewayError', code: 'path_invalid', message: 'No.' },
      });
      expect(await guest.error('async () => {\n  return await api.request({}) }', { callHost })).toMatchObject({
        code: 'path_invalid',
        line: 2,
      });
      const source = `async () => {
        const call = api.request({});
        Error.prepareStackTrace = () => { throw 1 };
        return call.catch(error => error.code);
      }`;
      expect(await guest.value(source, { callHost })).toBe('path_invalid');
    });

    it('have their place, also after an await and in callbacks', async () => {
      const source =
        'async () => {\n  function inner() {\n    throw new RangeError("boom");\n  }\n  await null;\n  [1].forEach(() => inner());\n}';
      const error = await guest.error(source);
      expect(error).toMatchObject({ name: 'RangeError', message: 'boom', line: 3 });
      expect(error.stack).toMatch(/inner \(line 3\)[\s\S]*line 6/);
      expect(error.stack).not.toMatch(/prelude|native|file:|node:/);
    });

    it('count columns in the evaluated text, including the bracket', async () => {
      expect(await guest.error('() => nothingSuch')).toMatchObject({ name: 'ReferenceError', line: 1, column: 8 });
    });

    it('of syntax have a place', async () => {
      expect(await guest.error('async () => {\n  let x = ;\n}')).toMatchObject({ name: 'SyntaxError', line: 2 });
    });

    it.each<[what: string, thrown: string, message: RegExp]>([
      ['text', '"plain"', /no Error: "plain"/],
      ['an object', '{ code: 5 }', /no Error: \{"code":5\}/],
      ['null', 'null', /no Error: null/],
      ['undefined', 'undefined', /no Error: undefined/],
      ['a cause', 'new Error("outer", { cause: new Error("inner") })', /outer.*inner/],
      ['a message that throws', 'Object.defineProperty(new Error("x"), "message", { get() { throw 1 } })', /^$/],
      ['a revoked Proxy', '(r => { r.revoke(); return r.proxy })(Proxy.revocable({}, {}))', /unreadable/],
    ])('thrown as %s are reported', async (_what, thrown, message) => {
      expect((await guest.error(`async () => { throw ${thrown} }`)).message).toMatch(message);
    });

    it.each<[what: string, source: string, message: RegExp]>([
      [
        'an AggregateError',
        'Promise.any([1, 2].map(async n => { throw new RangeError(`no ${n}`) }))',
        /All promises.*RangeError: no 1.*no 2/,
      ],
      [
        'own properties',
        'Promise.reject(Object.assign(new Error("down"), { code: "E_DOWN", retry: { afterMs: 5 } }))',
        /^down \{"code":"E_DOWN","retry":\{"afterMs":5\}\}$/,
      ],
      [
        'a cause with a cause',
        'Promise.reject(new Error("a", { cause: new TypeError("b", { cause: { c: 1 } }) }))',
        /^a \(cause: TypeError: b \(cause: \{"c":1\}\)\)$/,
      ],
      [
        'an error that is its own cause',
        'Promise.reject((e => { e.cause = e; return e })(new Error("round")))',
        /^round \(cause: Error: round/,
      ],
    ])('show %s', async (_what, expression, message) => {
      expect((await guest.error(`async () => ${expression}`)).message).toMatch(message);
      const shown = await guest.run(
        `async () => { try { await ${expression} } catch (error) { console.error(error) } }`,
      );
      expect(shown.stderr.split('\n', 1)[0]).toMatch(new RegExp(message.source.replace('^', ' ').replace('$', '')));
    });

    it('inside other errors are part of a result', async () => {
      const source = 'async () => Promise.any([Promise.reject(new Error("one")), Promise.reject("two")]).catch(e => e)';
      expect(await guest.value(source)).toMatchObject({ name: 'AggregateError', errors: [{ message: 'one' }, 'two'] });
    });

    it.each<[what: string, source: string, note: RegExp]>([
      [
        'an async function that is not awaited',
        'async () => {\n  const save = async () => {\n    throw new Error("disk full");\n  };\n  save();\n  return 1;\n}',
        /not|nobody.*Error: disk full \(line 3\)/,
      ],
      [
        'a function that fails after some waiting',
        'async () => { (async () => { await null; await null; throw new TypeError("later") })(); return 1 }',
        /TypeError: later/,
      ],
      [
        'callbacks of forEach',
        'async () => { [1, 2].forEach(async n => { throw new Error(`item ${n}`) }); return 1 }',
        /2 promises.*item 1.*item 2/,
      ],
      [
        'a then that throws',
        'async () => { Promise.resolve().then(() => { throw new Error("in then") }); return 1 }',
        /in then/,
      ],
      ['a value that is no Error', 'async () => { Promise.reject({ status: 7 }); return 1 }', /"status":7/],
      [
        'a function that sleeps for a moment',
        'async () => {\n  const work = async () => { await new Promise(r => setTimeout(r, 1));\n throw new Error("after a nap") };\n  work();\n  return 1;\n}',
        /Error: after a nap \(line 3\)/,
      ],
      [
        'a timer that throws after the return',
        'async () => { setTimeout(() => { throw new Error("late") }, 1); return 1 }',
        /A timer threw after the function had returned: Error: late \(line 1\)/,
      ],
      [
        'a call that is refused',
        'async () => { api.request({}).then(r => r.missing.field); await api.request({}); await null; return 1 }',
        /TypeError: /,
      ],
    ])('of %s are in a note', async (_what, source, note) => {
      const outcome = await guest.run(source);
      expect(outcome).toMatchObject({ status: 'completed', json: '1', note: expect.stringMatching(note) });
    });

    it('of a timer that is not due soon do not delay the result', async () => {
      const source =
        'async () => { setTimeout(() => { throw new Error("late") }, 600_000); setInterval(() => {}, 5); return 1 }';
      expect(await guest.run(source)).toMatchObject({ status: 'completed', json: '1' });
    });

    it('that are caught, also later, are in no note', async () => {
      const source = `async () => {
        const early = Promise.reject(new Error('early'));
        await null;
        await early.catch(() => 0);
        Promise.reject(1).then(() => 0, () => 0);
        await Promise.allSettled([Promise.reject(2)]);
        return 1;
      }`;
      expect(await guest.run(source)).not.toHaveProperty('note');
    });

    it('that are not awaited are in a note beside the error that ends the run', async () => {
      const error = await guest.error(
        'async () => { const e = new Error("main"); Promise.reject(e); Promise.reject(new Error("side")); throw e }',
      );
      expect(error.message).toBe('main');
      expect(error.note).toMatch(/^A promise.*side/);
    });

    it('that are not awaited are bounded in number and length', async () => {
      const outcome = await guest.run(
        'async () => { for (let i = 0; i < 500; i++) Promise.reject(new Error("x".repeat(9999))); return 1 }',
      );
      expect(outcome.status === 'completed' && outcome.note?.length).toBeLessThan(1_500);
      expect(outcome).toMatchObject({ note: expect.stringMatching(/^500 promises/) });
    });

    it('in a microtask end the run, for any thrown value', async () => {
      const wait = 'await new Promise(r => setTimeout(r, 1000))';
      const of = (thrown: string) => guest.error(`async () => { queueMicrotask(() => { throw ${thrown} }); ${wait} }`);
      expect(await of('"just text"')).toMatchObject({ message: expect.stringContaining('just text') });
      expect((await of('new Error("outer", { cause: new Error("inner") })')).message).toMatch(/outer.*inner/s);
    });

    it('in a timer end the run', async () => {
      const source =
        'async () => { setTimeout(() => { throw new Error("late") }, 1); await new Promise(r => setTimeout(r, 1000)) }';
      expect(await guest.error(source)).toMatchObject({ message: 'late' });
    });

    it('are bounded', async () => {
      const error = await guest.error('async () => { throw new Error("x".repeat(5e6)) }');
      expect(error.message.length).toBeLessThanOrEqual(8_000);
    });

    it('of a promise that can never settle come at once', async () => {
      const outcome = await guest.run('async () => new Promise(() => {})');
      // At the wall time limit the error would be time_exceeded.
      expect(outcome).toMatchObject({ status: 'failed', error: { code: 'never_settles' } });
    });
  });
}
