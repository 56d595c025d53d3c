// Hostile guests. Each must end with a clear error, and the next run must not be affected.
import { describe, expect, it } from 'vitest';
import { expectWellFormed, type Harness, LIMITS, TIGHT } from './harness.ts';

type Case = readonly [what: string, source: string];

/** Guests that are ended by the CPU or wall time limit. */
const SPINNING: readonly Case[] = [
  ['an empty loop', 'async () => { while (true) {} }'],
  ['a loop that catches', 'async () => { while (true) { try { while (true) {} } catch {} } }'],
  ['a loop that hides in finally', 'async () => { try { while (true) {} } finally { while (true) {} } }'],
  [
    'a loop behind async catch',
    'async () => { const f = async () => { while (true) {} }; for (;;) { try { await f() } catch {} } }',
  ],
  ['microtasks without end', 'async () => { for (;;) await null }'],
  ['promises that chain forever', 'async () => { const f = async () => { await 0; return f() }; return f() }'],
  ['timers without end', 'async () => { for (;;) await new Promise(r => setTimeout(r, 0)) }'],
  ['calls without end', 'async () => { for (;;) await api.request({}) }'],
  ['caught floods of calls', 'async () => { for (;;) { try { api.request({}) } catch {} } }'],
  ['caught floods of timers', 'async () => { for (;;) { try { setTimeout(() => {}, 1e6) } catch {} } }'],
  ['logs without end', 'async () => { for (;;) console.log("x".repeat(1000)) }'],
  ['a catastrophic regular expression', 'async () => /^(a+)+$/.test("a".repeat(40) + "!")'],
  ['sorting without end', 'async () => { const a = Array.from({ length: 2e5 }, Math.random); for (;;) a.sort() }'],
  ['indexOf without end', 'async () => { const s = "a".repeat(4e6); for (;;) s.indexOf("a".repeat(2e6) + "b") }'],
  [
    'JSON without end',
    'async () => { const o = Array.from({ length: 2e4 }, (_, i) => ({ i })); for (;;) JSON.parse(JSON.stringify(o)) }',
  ],
  ['padEnd without end', 'async () => { for (;;) "x".padEnd(4e6).trim() }'],
  ['repeat without end', 'async () => { for (;;) "x".repeat(8e6).length }'],
  ['powers of BigInt', 'async () => { let x = 3n; for (;;) x = x * x % (2n ** 200000n) }'],
  ['a sparse array reversed', 'async () => { const a = []; a[4294967290] = 1; a.reverse(); return 1 }'],
  ['a getter in the result that spins', 'async () => ({ get x() { for (;;) {} } })'],
  ['toJSON in the result that spins', 'async () => ({ toJSON() { for (;;) {} } })'],
  ['a Proxy that keeps making keys', 'async () => new Proxy({}, { ownKeys() { for (;;) {} } })'],
  ['an error message that spins', 'async () => { throw { get message() { for (;;) {} } } }'],
  ['an endless thenable', 'async () => ({ then(r) { r({ then: this.then }) } })'],
];

/** Guests that are ended by the memory limit. */
const FILLING: readonly Case[] = [
  ['strings', 'async () => { const k = []; for (let i = 0; ; i++) k.push("x".repeat(1e6) + i) }'],
  ['arrays', 'async () => { const k = []; for (;;) k.push(new Array(1e4).fill(1)) }'],
  ['buffers', 'async () => { const k = []; for (;;) k.push(new Uint8Array(1e6).fill(1)) }'],
  ['one huge buffer', 'async () => { return new Uint8Array(2e9).length }'],
  ['a Map', 'async () => { const m = new Map(); for (let i = 0; ; i++) m.set("k" + i, { i }) }'],
  ['fill', 'async () => new Array(1e8).fill(0).length'],
  ['split', 'async () => "a,".repeat(2e7).split(",").length'],
];

/** Guests that must end, with any outcome. */
const ODD: readonly Case[] = [
  [
    'memory filled and caught',
    'async () => { const k = []; for (;;) { try { for (;;) k.push(new Array(1e4).fill(1)) } catch { k.length = k.length >> 1 } } }',
  ],
  ['plain recursion', 'async () => { const f = n => f(n + 1) + 1; return f(0) }'],
  ['JSON.parse, deep', 'async () => JSON.parse("[".repeat(1e6) + "]".repeat(1e6)).length'],
  [
    'JSON.stringify, deep',
    'async () => { let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return JSON.stringify(a).length }',
  ],
  ['a deep result', 'async () => { let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return a }'],
  ['a deep text', 'async () => { let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return String(a).length }'],
  ['a deep pattern', 'async () => new RegExp("(".repeat(1e5) + ")".repeat(1e5)).test("a")'],
  ['deep code', 'async () => eval("(".repeat(1e5) + "1" + ")".repeat(1e5))'],
  ['Proxies in Proxies', 'async () => { let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); return p.x }'],
  ['a getter of itself', 'async () => { const o = { get x() { return this.x } }; return o.x }'],
  ['sort in sort', 'async () => { const f = () => [2, 1].sort(() => f()); return f() }'],
  ['flat, deep', 'async () => { let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return a.flat(Infinity).length }'],
  ['bind on bind', 'async () => { let f = () => 1; for (let i = 0; i < 1e5; i++) f = f.bind(null); return f() }'],
  [
    'structuredClone, deep',
    'async () => { let a = {}; for (let i = 0; i < 1e5; i++) a = { a }; return typeof structuredClone(a) }',
  ],
  ['an array printed', 'async () => (new Array(2e8) + "").length'],
  ['huge keys', 'async () => ({ ["k".repeat(3e5)]: 1, ["j".repeat(3e5)]: 2 })'],
  ['a result with holes', 'async () => new Array(4294967295)'],
  ['a revoked Proxy as result', 'async () => { const r = Proxy.revocable({}, {}); r.revoke(); return { p: r.proxy } }'],
  [
    'a Proxy that lies about its keys',
    'async () => new Proxy({}, { ownKeys: () => ["a"], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: 1 }), get() { throw new Error("no") } })',
  ],
  ['a thenable that never answers', 'async () => ({ then() {} })'],
  ['a background rejection', 'async () => { Promise.reject(new Error("bg")); await null; return 1 }'],
  [
    'Atomics.wait, where it exists',
    'async () => typeof Atomics === "undefined" ? 0 : Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0)',
  ],
];

export function hostile(guest: Harness): void {
  const healthy = async () => {
    if (guest.options.machinePerRun === true) return;
    expect(await guest.value('async () => [1 + 1, (await api.request({ a: 1 })).args.a, typeof leak]')).toEqual([
      2,
      1,
      'undefined',
    ]);
  };

  describe('hostile guests: never-ending', () => {
    it.each(SPINNING)('%s', async (_what, source) => {
      const outcome = await guest.run(source, { limits: TIGHT });
      expect(outcome.status).toBe('failed');
      if (outcome.status === 'failed')
        expect(['cpu_exceeded', 'time_exceeded', 'budget_exceeded', 'memory_exceeded']).toContain(outcome.error.code);
      expectWellFormed(outcome);
      await healthy();
    });
  });

  describe('hostile guests: memory', () => {
    it.each(FILLING)('%s', async (_what, source) => {
      // Enough time on a busy machine, because the memory limit must end them.
      const outcome = await guest.run(source, { limits: { wallMs: 15_000, cpuMs: 10_000 } });
      expect(outcome).toMatchObject({
        status: 'failed',
        error: { code: 'memory_exceeded', message: expect.stringMatching(/64 MB/) },
      });
      await healthy();
    });
  });

  describe('hostile guests: odd ends', () => {
    it.each(ODD)('%s', async (_what, source) => {
      const limits = { ...TIGHT, cpuMs: 400 };
      expectWellFormed(await guest.run(source, { limits }), { ...LIMITS, ...limits });
      await healthy();
    });

    it('a stack overflow at any place is an error of the guest', async () => {
      const source = `async () => {
        const foreign = new Set();
        const look = (error, what) => {
          if (!(error instanceof Error) || error.constructor.constructor('return typeof process')() !== 'undefined') foreign.add(what);
        };
        const acts = {
          console: () => console.log('a'),
          random: () => crypto.randomUUID(),
          timer: () => clearTimeout(setTimeout(() => 0, 0)),
          call: () => { api.request({}).catch(() => 0) },
          late: () => new URL('http://x').href + [3].toSorted(),
          import: () => { import('node:fs').catch(error => look(error, 'imported')) },
          microtask: () => queueMicrotask(() => 0),
        };
        for (const [what, act] of Object.entries(acts)) {
          let left = 200;
          const dive = () => { try { dive() } catch (error) { look(error, what) } if (left-- > 0) try { act() } catch (error) { look(error, what) } };
          try { dive() } catch (error) { look(error, what) }
        }
        await null;
        return [...foreign];
      }`;
      expect(await guest.value(source)).toEqual([]);
    });

    it('deep recursion can be caught', async () => {
      const source =
        'async () => { let d = 0; const f = () => { d++; f() }; try { f() } catch (e) { return [e.name, d > 500] } }';
      expect(await guest.value(source)).toEqual(['RangeError', true]);
    });
  });
}
