import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { GuestError, Surface } from '../../src/engine/engine.ts';
import { acceptCode } from '../../src/guest/accept/code.ts';
import { explainError } from '../../src/guest/explain/explain.ts';
import { explainNote } from '../../src/guest/explain/note.ts';
import { GLOBALS } from '../../src/guest/globals.ts';

const explain = (error: GuestError, code: string, surface: Surface = 'read') =>
  explainError(error, { code: acceptCode(code, { maxChars: 300_000 }), surface, globals: GLOBALS[surface] });

const thrown = (name: string, message: string, line = 1): GuestError => ({ name, message, line });

describe('explainError', () => {
  test('shows the source line of the error', () => {
    const code = 'const a = 1;\r\n  a.b.c;\r\nreturn a';
    expect(
      explain({ name: 'TypeError', message: "cannot read property 'c' of undefined", line: 2, column: 7 }, code),
    ).toMatchObject({
      name: 'TypeError',
      line: 2,
      column: 7,
      sourceLine: 'a.b.c;',
    });
  });

  test('columns are those of the agent’s text', () => {
    // The engine evaluates `(async () => {` before it.
    expect(
      explain({ name: 'E', message: 'm', line: 1, column: '(async () => {'.length + 7 }, 'throw new E("m"); return 1'),
    ).toMatchObject({
      line: 1,
      column: 7,
    });
  });

  test('a line that the agent’s text does not have is left out', () => {
    for (const line of [0, -1, 99])
      expect(explain({ name: 'E', message: 'm', line, column: 3 }, '() => 1')).toEqual({ name: 'E', message: 'm' });
  });

  test.each<[surface: Surface, name: string, says: string]>([
    ['read', 'nope', 'Globals: api, Sandbox, display, console'],
    ['search', 'nope', 'Globals: spec, find, describe, console'],
    ['search', 'api', '`api` is in execute_read and execute_write'],
    ['search', 'Sandbox', '`Sandbox` is in execute_read and execute_write'],
    ['write', 'spec', '`spec` is in search only'],
    ['read', 'find', '`find` is in search only'],
    ['read', 'API', 'It is written `api`'],
    ['read', 'sandbox', 'const sandbox = await Sandbox.connect(id)'],
    ['read', 'await', 'make that function async'],
    ['read', 'constructor', 'Globals: api'],
  ])('in %s, %s is not defined', (surface, name, says) => {
    for (const message of [`${name} is not defined`, `'${name}' is not defined`]) {
      expect(explain(thrown('ReferenceError', message), '() => 1', surface).hint).toContain(says);
    }
  });

  const NOTHING = ['TypeError', "cannot read property 'map' of undefined"] as const;

  test.each<[name: string, error: readonly [string, string], code: string, says: string | undefined]>([
    [
      'res.json() in V8',
      ['TypeError', 'r.json is not a function'],
      'const r = await api.request({}); return r.json()',
      'data is parsed already',
    ],
    [
      'a missing await, direct',
      NOTHING,
      'return api.request({ path: "/x" }).data.map(x => x)',
      'An `await` is missing',
    ],
    [
      'a missing await, with a call inside',
      NOTHING,
      'return api.request({ path: f(1) }).data.map(x => x)',
      'An `await` is missing',
    ],
    ['no missing await', NOTHING, 'const r = await api.request({}); return r.data.items.map(x => x)', 'check ok'],
    [
      'V8’s words',
      ['TypeError', "Cannot read properties of undefined (reading 'map')"],
      'const r = await api.request({}); return r.data.items.map(x => x)',
      'check ok',
    ],
    [
      'something not iterable',
      ['TypeError', 'value is not iterable'],
      'for (const x of (await api.request({})).data) x; return 1',
      'check ok',
    ],
    [
      'new Sandbox()',
      ['TypeError', 'not a constructor'],
      'const s = new Sandbox(); return 1',
      '`await Sandbox.create()`',
    ],
    ['import()', ['TypeError', 'dynamic import is not available'], 'return import("fs")', 'There are no modules here'],
    [
      'JSON.parse of an answer',
      ['SyntaxError', "unexpected token: 'o'"],
      'return JSON.parse((await api.request({})).data)',
      'data is parsed already',
    ],
    ['syntax the engine lacks', ['SyntaxError', 'unexpected token'], 'return new Function("%")', 'plain ES2023'],
    ['recursion', ['RangeError', 'Maximum call stack size exceeded'], 'return f()', 'calls itself'],
    [
      'an error that the agent’s code throws',
      ['Error', 'my own reason'],
      'throw new Error("my own reason")',
      undefined,
    ],
  ])('hints at %s', (_, [name, message], code, says) => {
    const { hint } = explain(thrown(name, message), code, 'write');
    if (says === undefined) expect(hint).toBeUndefined();
    else expect(hint).toContain(says);
  });

  test('hints for errors of the gateway', () => {
    const coded = (code: GuestError['code'] & string, message: string) =>
      explain({ name: 'GatewayError', message, code }, '() => 1').hint;
    expect(coded('method_refused', 'No.')).toContain('execute_write');
    expect(coded('method_refused', 'Use execute_write.')).toBeUndefined();
    expect(coded('path_unlisted', 'No.')).toContain('find(');
    expect(coded('request_invalid', 'No.')).toContain('describe(');
    expect(coded('upstream_timeout', 'fetch is not defined')).toBeUndefined();
  });

  test('every part is limited in length, and long input takes little time', () => {
    const long = fc
      .constantFrom('x', ' ', '=', '(', 'api.request(', 'a.', '\n', '😀', ' await ', "'")
      .map(part => part.repeat(30_000));
    fc.assert(
      fc.property(long, long, fc.boolean(), (name, message, nullish) => {
        const code = acceptCode(`/* ${name}${message} */ async () => 1`, { maxChars: 1_000_000 });
        const explained = explainError(
          { name, message: nullish ? `${message} of undefined` : message, line: 1, column: 20_000 },
          { code, surface: 'read', globals: GLOBALS.read },
        );
        expect(JSON.stringify(explained).length).toBeLessThan(6000);
      }),
      { numRuns: 60 },
    );
  });
});

describe('explainNote', () => {
  test.each<[name: string, run: Parameters<typeof explainNote>[0], says: RegExp | undefined]>([
    [
      'the note of the engine',
      { note: 'the function returned a function', json: 'null', stdout: '' },
      /returned a function/,
    ],
    ['null and nothing else', { json: 'null', stdout: '\n' }, /returned null/],
    ['nothing but console.log', { json: 'null', stdout: 'x' }, undefined],
    ['a result', { json: '[]', stdout: '' }, undefined],
    [
      'a field of a promise',
      { note: 'The function returned undefined: x', json: 'null', text: 'async () => Sandbox.list().length' },
      /`await` is missing/,
    ],
    [
      'an id spelled as in the SDK',
      {
        json: '[null]',
        text: "async () => (await api.request({ method: 'GET', path: '/v2/sandboxes' })).data.map(x => x.sandboxId)",
      },
      /REST answers spell it sandboxID/,
    ],
    [
      'an id spelled as in REST answers',
      { json: '[null,null]', text: 'async () => (await Sandbox.list()).map(x => x.templateID)' },
      /Objects of Sandbox spell it templateId/,
    ],
    [
      'nulls that are not an error',
      { json: '[null]', text: 'async () => (await Sandbox.list()).map(s => s.name)' },
      undefined,
    ],
  ])('%s', (_, run, says) => {
    const note = explainNote(run);
    if (says === undefined) expect(note).toBeUndefined();
    else expect(note).toMatch(says);
  });
});
