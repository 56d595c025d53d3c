// The globals of the agent's code: the same names on every engine, and clear errors for names that models expect.
import { describe, expect, it } from 'vitest';
import type { Harness } from './harness.ts';

const names = (...rows: readonly string[]): string[] => rows.flatMap(row => row.split(' '));

/** Globals in addition to ECMAScript's. */
const SHARED = names(
  'AbortController AbortSignal Blob Buffer DOMException Headers TextDecoder TextEncoder URL URLSearchParams atob',
  'btoa clearInterval clearTimeout console crypto escape global performance queueMicrotask setInterval setTimeout',
  'structuredClone unescape',
);
/** Exports of the official SDK beside Sandbox, which models import or compare with. */
const SDK = names(
  'ALL_TRAFFIC FileType FilesystemEventType VolumeFileType e2b ApiClient AuthenticationError ChartType ScaleType',
  'BuildError CommandExitError ConnectionConfig Desktop E2B FileNotFoundError FileUploadError Git GitAuthError',
  'GitUpstreamError InvalidArgumentError LogEntry LogEntryEnd LogEntryStart NotEnoughSpaceError NotFoundError',
  'RateLimitError ReadyCmd SandboxError SandboxNotFoundError Secret SecretError SecretNotFoundError SecretPaginator',
  'ServiceBusyError Template TemplateBase TemplateError TimeoutError Volume VolumeError VolumeNotFoundError',
  'VolumePathNotFoundError defaultBuildLogger getSignature waitForFile waitForPort waitForProcess waitForTimeout',
  'waitForURL',
);
const ECMASCRIPT = names(
  'AggregateError Array ArrayBuffer AsyncDisposableStack BigInt BigInt64Array BigUint64Array Boolean DataView Date',
  'DisposableStack Error EvalError FinalizationRegistry Float32Array Float64Array Function Infinity Int16Array',
  'Int32Array Int8Array Intl Iterator JSON Map Math NaN Number Object Promise Proxy RangeError ReferenceError',
  'Reflect RegExp Set SharedArrayBuffer String SuppressedError Symbol SyntaxError TypeError URIError Uint16Array',
  'Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet decodeURI decodeURIComponent encodeURI',
  'encodeURIComponent eval globalThis isFinite isNaN parseFloat parseInt undefined',
);
/** Globals of an engine, or new ones of ECMAScript that not all engines have: harmless and not guaranteed. */
const ENGINE_OWN = ['Float16Array', 'InternalError'];

export function globals(guest: Harness): void {
  describe('globals', () => {
    const names = '() => Object.getOwnPropertyNames(globalThis).sort()';

    it.each([
      ['execute', 'write', ['Sandbox', 'api', 'display', ...SDK]],
      ['execute', 'read', ['Sandbox', 'api', 'display', ...SDK]],
      ['search', 'search', ['describe', 'find', 'spec']],
    ] as const)('of %s (%s) are exactly these', async (_tool, surface, own) => {
      const found = (await guest.value(names, { surface })) as string[];
      expect(found.filter(name => !ENGINE_OWN.includes(name))).toEqual([...SHARED, ...ECMASCRIPT, ...own].sort());
    });

    it.each<[what: string, expression: string, value: unknown]>([
      ['URL', `new URL('/a?b=1&b=2#c', 'https://x.y').searchParams.getAll('b').join()`, '1,2'],
      ['URLSearchParams', `new URLSearchParams({ a: 1, b: 'x y' }).toString()`, 'a=1&b=x+y'],
      ['TextEncoder', `[...new TextEncoder().encode('é🎉\\ud800')]`, [195, 169, 240, 159, 142, 137, 239, 191, 189]],
      [
        'TextDecoder',
        `new TextDecoder().decode(new Uint8Array([0xef, 0xbb, 0xbf, 195, 169, 255, 240, 159, 65]))`,
        'é\ufffd\ufffdA',
      ],
      [
        'TextDecoder in a stream',
        `(d => d.decode(new Uint8Array([240, 159]), { stream: true }) + d.decode(new Uint8Array([142, 137])))(new TextDecoder())`,
        '🎉',
      ],
      ['base64', `[btoa('hi'), atob('aGk=')]`, ['aGk=', 'hi']],
      [
        'Buffer',
        `[Buffer.from('hé').toString('base64'), Buffer.from('aGk', 'base64').toString(), Buffer.from('6869', 'hex') + '', Buffer.concat([Buffer.from('a'), Buffer.from('b')]).toString('hex')]`,
        ['aMOp', 'hi', 'hi', '6162'],
      ],
      [
        'structuredClone',
        `structuredClone({ d: new Date(0), m: new Map([[1, new Set([2])]]), b: new Uint8Array([3]) })`,
        { d: '1970-01-01T00:00:00.000Z', m: [[1, [2]]], b: [3] },
      ],
      ['structuredClone of a cycle', `(c => c.self === c)(structuredClone((o => { o.self = o; return o })({})))`, true],
      ['crypto', `[crypto.randomUUID().length, crypto.getRandomValues(new Uint8Array(4)).length]`, [36, 4]],
      [
        'toLocaleString',
        `[(1234567.891).toLocaleString('en-US'), (0.5).toLocaleString(undefined, { style: 'percent' }), (5).toLocaleString('en-US', { style: 'currency', currency: 'USD' }), 1234567n.toLocaleString(), (-1234).toLocaleString()]`,
        ['1,234,567.891', '50%', '$5.00', '1,234,567', '-1,234'],
      ],
      ['UTC', 'new Date(0).getTimezoneOffset()', 0],
      ['the clock', `Math.abs(Date.now() - ${Date.now()}) < 600_000 && performance.now() < 10_000`, true],
      [
        'new ECMAScript',
        `[[3, 1].toSorted(), Object.groupBy([1, 2], x => (x % 2 ? 'odd' : 'even')), new Set([1]).union(new Set([2])).size, 'a'.at(-1)]`,
        [[1, 3], { odd: [1], even: [2] }, 2, 'a'],
      ],
    ])('%s works', async (_what, expression, value) => {
      expect(await guest.value(`async () => ${expression}`)).toEqual(value);
    });

    it('timers fire in order, can be cleared, and repeat', async () => {
      const source = `async () => {
        const seen = [];
        const gone = setTimeout(() => seen.push('gone'), 1);
        clearTimeout(gone);
        await new Promise(done => {
          const every = setInterval(() => { seen.push('i'); if (seen.length === 3) { clearInterval(every); done() } }, 2);
        });
        await new Promise(done => setTimeout((a, b) => { seen.push(a + b); done() }, 5, 'x', 'y'));
        return seen;
      }`;
      expect(await guest.value(source)).toEqual(['i', 'i', 'i', 'xy']);
    });

    it.each<[name: string, source: string, answer: RegExp]>([
      [
        'fetch',
        'async () => { const r = await fetch("https://e2b.dev"); return r.status }',
        /fetch is not defined.*api\.request/,
      ],
      ['require', 'async () => require("fs")', /require is not defined.*no modules/],
      ['process', 'async () => process.env.E2B_API_KEY', /process is not defined.*adds the API key/],
      ['import()', 'async () => import("node:fs")', /no modules here/],
      ['path', 'async () => path.join("a", "b")', /path is not defined\. Join paths as text/],
      ['child_process', 'async () => execSync("ls")', /execSync is not defined\. .*sbx\.commands\.run/],
      ['localStorage', 'async () => localStorage.getItem("a")', /localStorage is not defined\. .*kept between calls/],
      ['sleep', 'async () => { await sleep(5) }', /sleep is not defined\. .*setTimeout/],
      ['lodash', 'async () => _.map([], x => x)', /_ is not defined\. .*no packages/],
      ['a name of Python', 'async () => len([1])', /len is not defined\. .*list\.length/],
      ['tools of the client', 'async () => client.request({})', /client is not defined\. .*api\.request/],
      ['arguments', 'async () => args.id', /args is not defined\. .*no arguments/],
      ['a hash', 'async () => crypto.createHash("sha256")', /crypto\.createHash is not defined\. Use /],
      [
        'crypto.subtle',
        'async () => crypto.subtle.digest("SHA-256", new Uint8Array(1))',
        /crypto\.subtle is not defined\. Use /,
      ],
      [
        'performance.mark',
        'async () => performance.mark("a")',
        /performance\.mark is not defined\. Use performance\.now/,
      ],
    ])('%s is absent, and its error says what to use instead', async (_name, source, answer) => {
      expect((await guest.error(source)).message).toMatch(answer);
    });

    it('feature tests with typeof work', async () => {
      expect(await guest.value('() => [typeof fetch, typeof require, typeof process]')).toEqual(
        Array(3).fill('undefined'),
      );
    });

    it('search has the description and no API', async () => {
      const source = `async () => [Object.keys(spec.paths), find('start sandbox', { limit: 1 })[0].operation, typeof describe('POST /sandboxes'), typeof api]`;
      expect(await guest.value(source, { surface: 'search' })).toEqual([
        ['/sandboxes'],
        'POST /sandboxes',
        'string',
        'undefined',
      ]);
    });
  });
}
