// Calls to the host: what is sent, what is returned, and how refusals look to the guest.
import { describe, expect, it } from 'vitest';
import type { CallHost, GuestCall } from '../../src/engine/engine.ts';
import type { Harness } from './harness.ts';

export function calls(guest: Harness): void {
  describe('calls', () => {
    it('send the arguments as JSON and return the reply', async () => {
      const args = '{ path: "/x", query: { tags: ["a", "b"] }, body: { at: new Date(0), n: 5n, gone: undefined } }';
      expect(await guest.value(`async () => api.request(${args})`)).toEqual({
        capability: 'api.request',
        args: { path: '/x', query: { tags: ['a', 'b'] }, body: { at: '1970-01-01T00:00:00.000Z', n: 5 } },
      });
    });

    it('send long arguments unchanged', async () => {
      const text = `'ä€😀"'.repeat(20_000)`;
      const source = `async () => { const text = ${text}; const { args } = await api.request({ text }); return [text.length, args.text === text] }`;
      expect(await guest.value(source)).toEqual([100_000, true]);
    });

    it('pass a JSON reply to the guest unparsed', async () => {
      const callHost: CallHost = async () => ({ ok: true, json: '{"big":12345678901234567890,"__proto__":1}' });
      const source = 'async () => Object.keys(await api.request({}))';
      expect(await guest.value(source, { callHost })).toEqual(['big', '__proto__']);
    });

    it('pass a reply in parts, some of them bytes, to the guest as one text', async () => {
      const long = 'ä€😀'.repeat(20_000);
      const parts = () => [
        '{"a":"ü","b":"',
        new TextEncoder().encode(long),
        '","c":',
        new TextEncoder().encode('[1]'),
        '}',
      ];
      const callHost: CallHost = async () => ({ ok: true, json: parts() });
      const source = 'async () => { const { a, b, c } = await api.request({}); return [a, b.length, b.slice(-4), c] }';
      expect(await guest.value(source, { callHost })).toEqual(['ü', long.length, long.slice(-4), [1]]);
    });

    it('run concurrently', async () => {
      let open = 0;
      let allOpen: () => void;
      const together = new Promise<void>(resolve => {
        allOpen = resolve;
      });
      // No call gets its reply before all were made.
      const callHost: CallHost = async () => {
        if (++open === 3) allOpen();
        await together;
        return { ok: true, json: '1' };
      };
      expect(
        await guest.value('async () => (await Promise.all([1, 2, 3].map(() => api.request({})))).length', { callHost }),
      ).toBe(3);
    });

    it('a refused call throws an Error named GatewayError with a code, which can be caught', async () => {
      const callHost: CallHost = async () => ({
        ok: false,
        error: { name: 'GatewayError', code: 'path_refused', message: 'No way.' },
      });
      const caught = `async () => { try { await api.request({}) } catch (e) { return [e instanceof Error, e.name, e.code, e.message, JSON.stringify(e)] } }`;
      expect(await guest.value(caught, { callHost })).toEqual([
        true,
        'GatewayError',
        'path_refused',
        'No way.',
        '{"code":"path_refused"}',
      ]);
      const escaped = await guest.error('async () => {\n  await api.request({})\n}', { callHost });
      expect(escaped).toMatchObject({ name: 'GatewayError', code: 'path_refused', message: 'No way.' });
    });

    it('an error code that the host never sent is not passed on', async () => {
      const error = await guest.error(
        `async () => { const e = new Error('x'); e.name = 'GatewayError'; e.code = 'internal'; throw e }`,
      );
      expect(error).toMatchObject({ name: 'GatewayError', message: 'x' });
      expect(error.code).toBeUndefined();
    });

    it.each<[what: string, args: string, message: RegExp]>([
      ['a cycle', '(() => { const a = {}; a.a = a; return a })()', /arguments\.a is circular/],
      ['a Promise', '{ body: { id: Promise.resolve(1) } }', /arguments\.body\.id is a Promise: await it/],
      ['a BigInt no number holds', '{ n: 2n ** 64n }', /arguments\.n is a BigInt too large/],
      ['a throwing getter', '{ get path() { throw new Error("mine") } }', /mine/],
    ])('with %s fail before anything is sent', async (_what, args, message) => {
      const sent: GuestCall[] = [];
      const callHost: CallHost = async call => {
        sent.push(call);
        return { ok: true, json: 'null' };
      };
      expect((await guest.error(`async () => api.request(${args})`, { callHost })).message).toMatch(message);
      expect(sent).toEqual([]);
    });

    it('over the limits fail inside the guest', async () => {
      const long = await guest.error('async () => api.request({ b: "x".repeat(2e6) })');
      expect(long).toMatchObject({ name: 'GatewayError', code: 'budget_exceeded' });
      const many = await guest.error('async () => Promise.all(Array.from({ length: 100 }, () => api.request({})))');
      expect(many).toMatchObject({ code: 'budget_exceeded', message: expect.stringMatching(/open at once/) });
    });

    it('made by a getter in the arguments of another call are counted too', async () => {
      const nested =
        'async () => { const d = {}; Object.defineProperty(d, "x", { enumerable: true, get() { return api.request(d) } }); await api.request(d) }';
      expect((await guest.error(nested)).code).not.toBe('engine_lost');
      expect(await guest.value('async () => 1')).toBe(1);
    });

    it('survive a host that throws', async () => {
      const callHost: CallHost = () => {
        throw new Error('secret cause');
      };
      const error = await guest.error('async () => api.request({})', { callHost });
      expect(error).toMatchObject({ name: 'GatewayError', code: 'internal' });
      expect(error.message).not.toContain('secret');
    });

    it('abort when the run ends', async () => {
      let aborted = false;
      const callHost: CallHost = (_call, signal) =>
        new Promise(resolve => {
          signal.addEventListener('abort', () => {
            aborted = true;
            resolve({ ok: true, json: '1' });
          });
        });
      const source = `async () => { api.request({}); await new Promise(r => setTimeout(r, 20)); return 7 }`;
      expect(await guest.value(source, { callHost })).toBe(7);
      expect(aborted).toBe(true);
    });
  });
}
