// Results, logs and displays of runs that succeed.
import { describe, expect, it } from 'vitest';
import { base64 } from '../support/base64.ts';
import type { Harness } from './harness.ts';

export function results(guest: Harness): void {
  describe('results', () => {
    it.each<[what: string, source: string, value: unknown]>([
      ['a number', 'async () => 1', 1],
      ['the value of a function that is not async', '() => "x"', 'x'],
      ['a value that is not a function', '({ a: 1 })', { a: 1 }],
      ['a promise that is not a function', 'Promise.resolve(3)', 3],
      ['null for undefined', 'async () => {}', null],
      ['BigInt as its digits', 'async () => ({ n: 12345678901234567890n })', { n: '12345678901234567890' }],
      ['Date as ISO text', 'async () => [new Date(0), new Date(NaN)]', ['1970-01-01T00:00:00.000Z', null]],
      [
        'Map with text keys as an object',
        'async () => new Map([["a", 1], ["b", new Map([["c", 2]])]])',
        { a: 1, b: { c: 2 } },
      ],
      ['Map with other keys as pairs', 'async () => new Map([[1, "a"]])', [[1, 'a']]],
      ['Set as a list', 'async () => new Set([1, "b"])', [1, 'b']],
      [
        'Error with what it says',
        'async () => ({ e: new TypeError("no") })',
        { e: { name: 'TypeError', message: 'no' } },
      ],
      [
        'typed arrays as lists',
        'async () => [new Uint8Array([1, 255]), new Float64Array([0.5]), new ArrayBuffer(2)]',
        [[1, 255], [0.5], [0, 0]],
      ],
      [
        'a cycle as a text with its place',
        'async () => { const a = { b: {} }; a.b.c = a; return a }',
        { b: { c: '[circular: result]' } },
      ],
      ['URLSearchParams as its text', 'async () => [new URLSearchParams({ a: "1 2" })]', ['a=1+2']],
      [
        'Blob by size and type',
        'async () => new Blob(["äb"], { type: "text/plain" })',
        { size: 3, type: 'text/plain' },
      ],
      ['a shared object twice', 'async () => { const s = { x: 1 }; return [s, s] }', [{ x: 1 }, { x: 1 }]],
      ['NaN and infinities as null', 'async () => [NaN, Infinity, -0]', [null, null, 0]],
      [
        'without values that JSON leaves out',
        'async () => ({ f() {}, u: undefined, s: Symbol("q"), a: [undefined] })',
        { s: 'Symbol(q)', a: [null] },
      ],
      [
        'toJSON of a class',
        'async () => ({ u: new URL("https://a.b/c"), d: { toJSON: () => 5 } })',
        { u: 'https://a.b/c', d: 5 },
      ],
      [
        'RegExp and boxed values',
        'async () => [/a+/g, new String("s"), new Number(2), new Boolean(false)]',
        ['/a+/g', 's', 2, false],
      ],
      ['lone surrogates and NUL', 'async () => "\\ud800x\\u0000y"', '\ud800x\u0000y'],
      ['other alphabets', 'async () => "héllo 🎉 日本"', 'héllo 🎉 日本'],
    ])('shows %s', async (_what, source, value) => {
      expect(await guest.value(source)).toEqual(value);
    });

    it('keeps a __proto__ key as a key', async () => {
      const outcome = await guest.run(`async () => JSON.parse('{"__proto__":{"x":1},"a":1}')`);
      expect(outcome).toMatchObject({ status: 'completed', json: '{"__proto__":{"x":1},"a":1}' });
    });

    it.each<[what: string, source: string, note: RegExp]>([
      ['undefined', 'async () => {}', /return/],
      ['a returned function', '() => () => 1', /call it/],
      [
        'a Promise inside the result, and where',
        'async () => ({ items: [{ data: Promise.resolve(1) }] })',
        /result\.items\[0\]\.data is a Promise.*await/,
      ],
      ['large bytes', 'async () => new Uint8Array(5000)', /Uint8Array of 5000 items.*base64/],
      [
        'deep nesting',
        'async () => { let a = 1; for (let i = 0; i < 1000; i++) a = { a }; return a }',
        /nested deeper/,
      ],
      ['a call that was not awaited', 'async () => { api.request({}); return 1 }', /1 call was not awaited/],
    ])('the note of a result: %s', async (_what, source, note) => {
      const outcome = await guest.run(source);
      expect(outcome.status).toBe('completed');
      expect(outcome).toMatchObject({ note: expect.stringMatching(note) });
    });

    it('cuts a result over the limit, with a note on what to do', async () => {
      const outcome = await guest.run('async () => Array.from({ length: 1e5 }, (_, i) => ({ i }))', {
        limits: { maxResultChars: 10_000 },
      });
      expect(outcome).toMatchObject({
        status: 'completed',
        note: expect.stringMatching(/10000 characters.*only the fields/),
      });
      expect(outcome.status === 'completed' && outcome.json.length).toBeLessThanOrEqual(20_000);
    });
  });

  describe('logs', () => {
    it('captures console by stream, in order', async () => {
      const outcome = await guest.run(
        'async () => { console.log("a", { b: 1 }, [2n], undefined); console.info("%s is %d", "x", 3, "y"); console.warn("w"); console.error(new Error("bad")) }',
      );
      expect(outcome.stdout).toBe('a {"b":1} ["2"] undefined\nx is 3 y\n');
      expect(outcome.stderr).toMatch(/^w\nError: bad\n/);
    });

    it('limits each stream and counts the dropped characters', async () => {
      const outcome = await guest.run(
        'async () => { console.error("kept"); for (let i = 0; i < 200; i++) console.log("x".repeat(999)); return 1 }',
      );
      expect(outcome).toMatchObject({ status: 'completed', json: '1', stderr: 'kept\n', droppedLogChars: 180_003 });
      expect(outcome.stdout.length).toBe(20_000);
    });

    it('keeps the beginning and the end of each stream', async () => {
      const outcome = await guest.run(
        'async () => { for (let i = 0; i < 9_000; i++) { console.log(`line ${i}`); console.error(`fault ${i}`) } }',
      );
      expect(outcome.stdout).toMatch(/^line 0\nline 1\n.*\n…\n.*\nline 8999\n$/s);
      expect(outcome.stderr).toMatch(/^fault 0\n.*\n…\n.*\nfault 8999\n$/s);
    });

    it('cuts a value that is too long to log', async () => {
      const { stdout } = await guest.run('async () => console.log({ id: 7, text: "x".repeat(90_000) + "end" })');
      expect(stdout).toMatch(/^\{"id":7,"text":"x+… \d+ more characters …x+end"\}\n$/);
    });

    it('keeps what was logged before a failure', async () => {
      expect(await guest.run('async () => { console.log("before"); throw new Error("x") }')).toMatchObject({
        stdout: 'before\n',
      });
    });
  });

  describe('display', () => {
    const png = Buffer.from([0x89, 0x50, 0x4e, 0x47]).toString('base64');
    it.each<[what: string, source: string, block: object]>([
      [
        '{ mimeType, data } in base64',
        `display({ mimeType: 'image/png', data: '${png}' })`,
        { kind: 'blob', mimeType: 'image/png', base64: base64(png) },
      ],
      [
        'bytes, with the type of their first bytes',
        'display(new Uint8Array([0x89, 0x50, 0x4e, 0x47]))',
        { kind: 'blob', mimeType: 'image/png', base64: base64(png) },
      ],
      [
        '{ mimeType, data } in bytes',
        `display({ mimeType: 'application/zip', data: new Uint8Array([1]) })`,
        { kind: 'blob', mimeType: 'application/zip', base64: base64('AQ==') },
      ],
      [
        'a code interpreter result',
        `display({ text: 'Figure', png: '${png}\\n' })`,
        { kind: 'blob', mimeType: 'image/png', base64: base64(png) },
      ],
      [
        'a whole execution',
        `display({ results: [{ jpeg: 'AQ==' }], logs: {} })`,
        { kind: 'blob', mimeType: 'image/jpeg', base64: base64('AQ==') },
      ],
      [
        'text for a text type',
        `display({ mimeType: 'text/csv', data: 'ä,b\\n1,2' })`,
        { kind: 'blob', mimeType: 'text/csv', base64: base64('w6QsYgoxLDI=') },
      ],
      [
        'JSON text',
        `display({ mimeType: 'application/json', data: '{"a":1}' })`,
        { kind: 'blob', mimeType: 'application/json', base64: base64('eyJhIjoxfQ==') },
      ],
      [
        'text that is also valid base64',
        `display({ mimeType: 'text/plain', data: 'test' })`,
        { kind: 'blob', mimeType: 'text/plain', base64: base64('dGVzdA==') },
      ],
      [
        'svg text',
        `display({ svg: '<svg/>' })`,
        { kind: 'blob', mimeType: 'image/svg+xml', base64: base64('PHN2Zy8+') },
      ],
      [
        'a data: URL',
        `display('data:image/gif;base64,AQ==')`,
        { kind: 'blob', mimeType: 'image/gif', base64: base64('AQ==') },
      ],
      ['text', 'display("hello")', { kind: 'text', text: 'hello' }],
      ['other values as JSON', 'display({ a: [1n] })', { kind: 'text', text: '{"a":["1"]}' }],
    ])('shows %s', async (_what, statement, block) => {
      const outcome = await guest.run(`async () => { ${statement} }`);
      expect(outcome.displays).toEqual([block]);
    });

    it('refuses invalid base64, and more than the limit', async () => {
      expect(await guest.error(`async () => display({ mimeType: 'image/png', data: '???' })`)).toMatchObject({
        message: expect.stringMatching(/base64/),
      });
      const error = await guest.error('async () => { for (;;) display(new Uint8Array(100_000)) }');
      expect(error).toMatchObject({ code: 'budget_exceeded', message: expect.stringMatching(/smaller image/) });
    });
  });
}
