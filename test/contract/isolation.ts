// Nothing that a guest patches, forges or leaves behind affects the host or the next run.
import { describe, expect, it } from 'vitest';
import type { CallHost } from '../../src/engine/engine.ts';
import { base64 } from '../support/base64.ts';
import type { Harness } from './harness.ts';

const PATCHES: readonly (readonly [what: string, code: string])[] = [
  ['JSON', 'JSON.stringify = () => "evil"; JSON.parse = () => "evil";'],
  ['Promise', 'Promise.prototype.then = function () { return "evil" }; Promise.resolve = () => "evil";'],
  [
    'the Promise constructor',
    'globalThis.Promise = function () {}; Object.defineProperty(Promise.prototype ?? {}, "constructor", { get() { throw 1 } });',
  ],
  [
    'Array methods',
    'for (const k of Object.getOwnPropertyNames(Array.prototype)) if (typeof Array.prototype[k] === "function" && k !== "constructor") Array.prototype[k] = () => "evil";',
  ],
  ['iteration', 'Array.prototype[Symbol.iterator] = function* () { yield "evil" };'],
  ['Map', 'Map.prototype.get = () => undefined; Map.prototype.set = () => {}; Map.prototype.delete = () => false;'],
  [
    'String and RegExp',
    'String.prototype.slice = () => "evil"; String.prototype.indexOf = () => 0; RegExp.prototype.exec = () => null; String = () => "evil";',
  ],
  [
    'Reflect and Object',
    'Reflect.apply = () => "evil"; Object.keys = () => ["evil"]; Object.defineProperty = () => {};',
  ],
  ['toJSON on Object.prototype', 'Object.prototype.toJSON = () => "evil";'],
  [
    'a setter for an index',
    'Object.defineProperty(Object.prototype, "0", { set() { throw new Error("trap") }, get() { return 9 }, configurable: true });',
  ],
  [
    'setters for names',
    'for (const k of ["name", "message", "code", "reject", "fulfil", "parent", "key", "note"]) Object.defineProperty(Object.prototype, k, { set() { throw new Error("trap") }, get() { return "evil" }, configurable: true });',
  ],
  [
    'property descriptors',
    'Object.prototype.get = () => "evil"; Object.prototype.value = "evil"; Object.prototype.writable = false;',
  ],
  [
    'Function',
    'Function.prototype.call = () => "evil"; Function.prototype.apply = () => "evil"; Function.prototype.bind = () => "evil";',
  ],
];

export function isolation(guest: Harness): void {
  const crowd = guest.options.machinePerRun === true ? 9 : 60;

  describe('isolation', () => {
    it.each(PATCHES)('patching %s does not change calls and replies', async (_what, code) => {
      const seen: unknown[] = [];
      const callHost: CallHost = async call => {
        seen.push(call);
        if (seen.length > 1)
          return { ok: false, error: { name: 'GatewayError', code: 'path_refused', message: 'No.' } };
        return { ok: true, json: '{"status":200,"data":{"list":["a"]}}' };
      };
      const source = `async () => {
        const keep = [];
        ${code}
        const answer = await api.request({ path: '/x', n: 1, s: 'é' });
        let refusal;
        try { await api.request([]) } catch (e) { refusal = e.name + ' ' + e.code }
        return { status: answer.status, first: answer.data.list['0'], refusal };
      }`;
      const outcome = await guest.run(source, { callHost });
      expect(outcome).toMatchObject({
        status: 'completed',
        json: '{"status":200,"first":"a","refusal":"GatewayError path_refused"}',
      });
      expect(seen).toEqual([
        { capability: 'api.request', argsJson: '{"path":"/x","n":1,"s":"é"}' },
        { capability: 'api.request', argsJson: '[]' },
      ]);
    });

    it.each([
      [
        'display',
        'display({ mimeType: "text/plain", data: "AQ==" }); return 1',
        { displays: [{ base64: base64('AQ==') }] },
      ],
      ['an error', 'throw new TypeError("mine")', { error: { name: 'TypeError', message: 'mine' } }],
      [
        'a result too long',
        'return "x".repeat(1e6)',
        { status: 'completed', note: expect.stringMatching(/longer than/) },
      ],
    ])('a toJSON on Object.prototype does not change %s', async (_what, code, expected) => {
      const patch =
        'Object.prototype.toJSON = () => [1]; Array.prototype.toJSON = () => 2; String.prototype.toJSON = () => 3;';
      expect(await guest.run(`async () => { ${patch} ${code} }`)).toMatchObject(expected);
    });

    it('nothing survives from one run to the next', async () => {
      const leave = `async () => {
        globalThis.leak = 1; Object.prototype.polluted = 1; Array.prototype.map = () => 'evil'; delete globalThis.URL;
        console.log = () => {}; api.request; try { api.request = 1 } catch {} ; globalThis.api = 2; Math.random = () => 4;
        setTimeout(() => { globalThis.late = 1 }, 1); return 1 }`;
      for (let i = 0; i < 4; i++) await guest.value(leave);
      const look = `async () => [typeof leak, typeof late, ({}).polluted ?? null, [1].map(x => x + 1), typeof URL, typeof api.request, Math.random() === 4]`;
      for (let i = 0; i < 4; i++)
        expect(await guest.value(look)).toEqual(['undefined', 'undefined', null, [2], 'function', 'function', false]);
    });

    it('changes to the description in search are lost after the run', async () => {
      await guest.value('async () => { spec.paths = {}; globalThis.find = () => []; return 1 }', { surface: 'search' });
      expect(
        await guest.value('async () => [Object.keys(spec.paths), find("sandbox").length]', { surface: 'search' }),
      ).toEqual([['/sandboxes'], 2]);
    });

    it('random numbers differ from run to run', async () => {
      const draw =
        'async () => [Math.random(), crypto.randomUUID(), [...crypto.getRandomValues(new Uint8Array(8))].join()]';
      const runs = (await Promise.all(Array.from({ length: crowd / 3 }, () => guest.value(draw)))) as unknown[][];
      expect(new Set(runs.flat()).size).toBe(crowd);
      for (const [x] of runs) expect(x).toSatisfy((n: number) => n >= 0 && n < 1);
    });

    it('the guest cannot reach the host: it cannot forge messages, and has no host objects and no other realm', async () => {
      const source = `async () => {
        const root = (() => {}).constructor('return globalThis')();
        const names = ['__send', '__guest', '__description', 'postMessage', 'process', 'require', 'std', 'os', 'scriptArgs', 'print', 'gc', 'WebAssembly', 'SharedWorker'];
        return [root === globalThis, names.filter(n => n in root), api.request.constructor === Function, Object.isFrozen(api)];
      }`;
      expect(await guest.value(source)).toEqual([true, [], true, true]);
    });

    it('replies that come late, twice or for another run are dropped', async () => {
      const late: (() => void)[] = [];
      const callHost: CallHost = () => new Promise(resolve => late.push(() => resolve({ ok: true, json: '"late"' })));
      const ended = await guest.value(
        'async () => { api.request({}); await new Promise(r => setTimeout(r, 5)); return 1 }',
        { callHost },
      );
      expect(ended).toBe(1);
      for (const answer of late) answer();
      expect(await guest.value('async () => (await api.request({ id: 2 })).args.id')).toBe(2);
    });

    it('concurrent runs get only their own replies', async () => {
      const source = (n: number) =>
        `async () => { const out = []; for (let i = 0; i < 5; i++) { globalThis.mine = ${n}; out.push((await api.request({ n: ${n}, i })).args.n); if (mine !== ${n}) throw new Error('mixed') } return out }`;
      const all = await Promise.all(Array.from({ length: crowd }, (_, n) => guest.value(source(n))));
      expect(all).toEqual(Array.from({ length: crowd }, (_, n) => Array(5).fill(n)));
    });
  });
}
