// Errors of the agent's code: name, message and place, in the agent's own lines.
import { describe, expect, it } from 'vitest';
import type { CallHost } from '../../src/engine/engine.ts';
import type { Harness } from './harness.ts';

export function errors(guest: Harness): void {
  describe('errors', () => {
    it('a refused call has the line of the call, unless a hook on stacks throws', async () => {
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

    it('tell where, after an await and through callbacks', async () => {
      const source =
        'async () => {\n  function inner() {\n    throw new RangeError("boom");\n  }\n  await null;\n  [1].forEach(() => inner());\n}';
      const error = await guest.error(source);
      expect(error).toMatchObject({ name: 'RangeError', message: 'boom', line: 3 });
      expect(error.stack).toMatch(/inner \(line 3\)[\s\S]*line 6/);
      expect(error.stack).not.toMatch(/prelude|native|file:|node:/);
    });

    it('count columns as evaluated, behind the bracket', async () => {
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
    ])('thrown as %s are told', async (_what, thrown, message) => {
      expect((await guest.error(`async () => { throw ${thrown} }`)).message).toMatch(message);
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

    it('of a promise that nothing settles come at once', async () => {
      const outcome = await guest.run('async () => new Promise(() => {})');
      // Waiting for the wall deadline would end in time_exceeded.
      expect(outcome).toMatchObject({ status: 'failed', error: { code: 'never_settles' } });
    });
  });
}
