import vm from 'node:vm';
import { parse } from 'acorn';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { type AcceptedCode, acceptCode, ownColumn } from '../../src/guest/accept/code.ts';
import { stripTypes } from '../../src/guest/accept/typescript.ts';

const options = { maxChars: 10_000, stripTypes };

/** As an engine does it: evaluate, call what is a function, await the rest. */
async function evaluate(code: AcceptedCode): Promise<unknown> {
  const value: unknown = vm.runInNewContext(`(${code.source}\n)`, {
    api: { request: async () => 42 },
    Sandbox: { create: () => 8 },
    e2b: { Sandbox: { create: () => 8 } },
    spec: { paths: 7 },
    log: [],
  });
  return structuredClone(await (typeof value === 'function' ? value() : value));
}

function refused(code: unknown, given = options): GatewayError {
  try {
    acceptCode(code, given);
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error(`accepted: ${String(code)}`);
}

const FENCE = '```';

const FORMS: readonly [name: string, code: string, value: unknown][] = [
  ['an async arrow', 'async () => 1', 1],
  ['an async arrow with a body', 'async () => {\n  const a = await api.request();\n  return a;\n}', 42],
  ['an arrow that is not async', '() => 1', 1],
  ['a trailing semicolon', 'async () => 1;', 1],
  ['several semicolons', ';;async () => 1;;', 1],
  ['a trailing comment', 'async () => 1; // done', 1],
  ['a trailing block comment without a line end', 'async () => 1 /* done */', 1],
  ['comments before', '// first\n/* second */ async () => 1', 1],
  ['a BOM', '\ufeffasync () => 1', 1],
  ['CRLF', 'async () => {\r\n  return 1;\r\n}\r\n', 1],
  ['CR alone', 'async () => {\r  // comment\r  return 1;\r}', 1],
  ['no-break spaces', 'async\u00a0() =>\u00a01', 1],
  ['a hashbang', '#!/usr/bin/env node\nasync () => 1', 1],
  ['parentheses', '(async () => 1)', 1],
  ['parentheses and a semicolon', '(async () => 1);', 1],
  ['an immediately called arrow', '(async () => 1)()', 1],
  ['an immediately called arrow with a semicolon', '(async () => { return 1 })();\n', 1],
  ['an awaited immediate call', 'await (async () => 1)()', 1],
  ['a returned immediate call', 'return (async () => 1)()', 1],
  ['a function expression called inside brackets', '(function () { return 1 }())', 1],
  ['a void call', 'void (async () => 1)()', undefined],
  ['an async function with a name', 'async function main() { return 1 }', 1],
  ['an async function without a name', 'async function () { return 1 }', 1],
  ['the same with a semicolon and a comment', 'async function () { return 1 }; // x', 1],
  ['the same called', 'async function () { return 1 }()', 1],
  ['a function without a name', 'function () { return 1 }', 1],
  ['a named function, then called', 'async function main() { return 1 }\nmain();', 1],
  ['a named function, then awaited', 'async function main() { return 1 }\nawait main();', 1],
  ['a named function, then returned', 'async function main() { return 1 }\nreturn main();', 1],
  ['a call before the function', 'main();\nasync function main() { return 1 }', 1],
  ['a call with then', 'async function main() { return 1 }\nmain().then(x => x + 1)', 2],
  [
    'helpers and a last function',
    'const one = 1;\nfunction add(a) { return a + one }\nasync function main() { return add(1) }',
    2,
  ],
  ['a function in a constant', 'const main = async () => 1;', 1],
  ['a function in a constant, then called', 'const main = async () => 1;\nmain();', 1],
  ['a function in a constant, then named', 'const main = async () => 1;\nmain', 1],
  ['helpers, then an arrow', 'const one = 1;\nasync () => one', 1],
  ['helpers, then an arrow in brackets', 'const one = 1;\n(async () => one);', 1],
  ['a recursive function alone', 'function f(n = 3) { return n === 0 ? 9 : f(n - 1) }', 9],
  ['export default of an arrow', 'export default async () => 1', 1],
  ['export default of an arrow in brackets', 'export default (async () => 1);', 1],
  ['export default of a function', 'export default async function () { return 1 }', 1],
  ['export default of a named function', 'export default async function main() { return 1 }', 1],
  ['export default behind helpers', 'const one = 1;\nexport default async function main() { return one }', 1],
  ['export default before helpers', 'export default async () => one()\nfunction one() { return 1 }', 1],
  ['export default before a constant', 'export default async () => one;\nconst one = 1;', 1],
  ['export default of an anonymous function before brackets', 'export default function () { return 1 }\n(0, 1)', 1],
  ['export default of a name', 'const main = async () => 1;\nexport default main;', 1],
  ['export default of a name that is hoisted', 'export default main;\nasync function main() { return 1 }', 1],
  ['export default of a value', 'const a = { b: 1 };\nexport default a', { b: 1 }],
  ['a bare body', 'const a = await api.request();\nreturn a + 1;', 43],
  ['a bare body with an early return', 'if (spec.paths) return 5;\nreturn 6', 5],
  ['an early return and a last expression', 'if (!spec.paths) return 5;\nspec.paths', 7],
  ['a bare body on one line', 'const a = await api.request(); return a', 42],
  ['a lone return', 'return 1', 1],
  ['a lone await', 'await api.request()', 42],
  ['for await', 'let n = 0;\nfor await (const x of [1, 2]) n += x;\nreturn n', 3],
  ['a lone expression', 'spec.paths', 7],
  ['a lone expression that is called', 'api.request({});', 42],
  ['a last expression', 'const a = 1;\na + 1', 2],
  ['a last expression with a semicolon and a comment', 'const a = 1;\na + 1; // two', 2],
  ['a last expression behind a missing semicolon', 'const a = 1\na', 1],
  ['a last sequence', 'let a = 1;\na++, a', 2],
  ['a last object in brackets', 'const a = 1;\n({ a })', { a: 1 }],
  ['a last template', 'const a = 1;\n`\x24{a}`', '1'],
  ['an object literal', '{ "a": 1, "b": [2] }', { a: 1, b: [2] }],
  ['an object literal with await', '{ "a": await api.request(), "b": 1 }', { a: 42, b: 1 }],
  ['a directive', '"use strict";\nreturn 1', 1],
  ['a directive, then a function', "'use strict';\nasync () => (function () { return this === undefined })()", true],
  ['a body that yields nothing', 'const a = 1;', undefined],
  ['a fence', `${FENCE}\nasync () => 1\n${FENCE}`, 1],
  ['a fence with a language', `${FENCE}js\nasync () => 1\n${FENCE}\n`, 1],
  ['a fence with attributes', `${FENCE}javascript title="a.js"\nasync () => 1\n${FENCE}\n`, 1],
  ['an indented fence', `  ${FENCE}js\n  async () => 1\n  ${FENCE}`, 1],
  ['a fence that is not closed', `${FENCE}js\nasync () => 1`, 1],
  ['a fence closed on the last line', `${FENCE}js\nasync () => {\n return 1\n}${FENCE}`, 1],
  ['a fence on one line', `${FENCE}js async () => 1 ${FENCE}`, 1],
  ['a fence of tildes', '~~~js\nasync () => 1\n~~~', 1],
  ['a longer fence', `${FENCE}${FENCE}js\nasync () => 1\n${FENCE}${FENCE}`, 1],
  ['a fence in prose', `Here's the code:\n\n${FENCE}js\nasync () => 1\n${FENCE}\n\nIt returns "1".`, 1],
  ['a fence behind one word', `Code\n${FENCE}js\nasync () => 1\n${FENCE}`, 1],
  ['a fence beside another language', `${FENCE}json\n{}\n${FENCE}\n${FENCE}js\nasync () => 1\n${FENCE}`, 1],
  ['a fence around a bare body', `${FENCE}js\nconst a = 1;\na\n${FENCE}`, 1],
  ['a fence around a hashbang', `${FENCE}js\n#!/usr/bin/env node\nasync () => 1\n${FENCE}`, 1],
  ['a fence inside a comment', `/*\n${FENCE}js\n2\n${FENCE}\n*/\nasync () => 1`, 1],
  ['a fence inside an escaped template', `async () => \`\\\`\\\`\\\`js\n1\``, '```js\n1'],
  ['parameters that name globals', 'async ({ api }) => api.request()', 42],
  ['a parameter that names a global', 'async (spec) => spec.paths', 7],
  ['such a parameter without brackets', 'async spec => spec.paths', 7],
  ['such a parameter with a trailing comma', 'async function main(\n  spec,\n) { return spec.paths }', 7],
  ['other parameters', 'async (a, b = 2) => [a, b]', [undefined, 2]],
  ['types', 'async (): Promise<number> => { const x: number = 1; return x as number }', 1],
  ['an interface and a bare body', 'interface A { b: string }\nconst a: A = { b: "x" };\nreturn a.b!', 'x'],
  ['an anonymous typed function', 'async function (a: number = 1): Promise<number> { return a }', 1],
  ['generics', 'async () => new Map<string, number>([["a", 1]]).get("a")', 1],
  ['a generic call alone', 'function id(x) { return x }\nreturn id<string>("x")', 'x'],
  ['satisfies', 'const a = { b: 1 } satisfies object;\na.b', 1],
  ['a type import', 'import type { A } from "x";\nconst a: A = 1;\na', 1],
  ['a typed export default', 'export default async (): Promise<number> => 1', 1],
  ['types in a fence', `${FENCE}ts\nasync (): Promise<number> => 1\n${FENCE}`, 1],
  ['types beside other alphabets', 'const größe: Record<"é漢😀", number> = { "é漢😀": 1 };\ngröße', { 'é漢😀': 1 }],
  [
    'an import of more names',
    'import { Sandbox, FileType, type Entry, SandboxOpts } from "e2b";\nasync () => Sandbox.create()',
    8,
  ],
  ['an import by another name', 'import { Sandbox as S } from "e2b";\nasync () => S.create()', 8],
  ['a default by another name', "import E2B, { ALL_TRAFFIC } from 'e2b'\nasync () => E2B.create()", 8],
  ['an import of everything', 'import * as sdk from "e2b";\nreturn sdk.Sandbox.create()', 8],
  [
    'two imports in a row',
    'import "dotenv/config"\nimport { Sandbox } from "e2b"\nimport { Buffer } from "node:buffer"\nSandbox.create()',
    8,
  ],
  [
    'dotenv, called',
    "import * as dotenv from 'dotenv'\nimport { Sandbox } from 'e2b'\ndotenv.config()\nSandbox.create()",
    8,
  ],
  ['the SDK, required whole', "const sdk = require('e2b')\nreturn sdk.Sandbox.create()", 8],
  [
    'the SDK, imported and picked from',
    "const { Sandbox: S } = await import('@e2b/code-interpreter')\nreturn S.create()",
    8,
  ],
  ['an import of the SDK', "import { Sandbox } from '@e2b/code-interpreter'\nSandbox.create()", 8],
  ['an import of its default', 'import Sandbox from "e2b";\nreturn Sandbox.create()', 8],
  ['an import over several lines', "import {\n  Sandbox,\n} from 'e2b'\nasync () => Sandbox.create()", 8],
  [
    'an import of the SDK between calls',
    "const a = f\nimport { Sandbox } from 'e2b'\n(a)\nfunction f() { return 1 }",
    1,
  ],
  ['an import of the SDK beside types', "import { Sandbox } from 'e2b'\nconst a: number = Sandbox.create()\na", 8],
  ['the SDK, required', "const { Sandbox } = require('e2b');\nreturn Sandbox.create()", 8],
  ['the SDK, required in a function', "async () => { const { Sandbox } = require('e2b'); return Sandbox.create() }", 8],
  [
    'the SDK, imported in it',
    "async function () { const { Sandbox } = await import('e2b'); return Sandbox.create() }",
    8,
  ],
  ['a text that speaks of it', 'return `import { Sandbox } from "e2b"`.length', 29],
  ['a typed parameter that names a global', 'async ({ spec }: { spec: any }) => spec.paths', 7],
];

describe('acceptCode', () => {
  test.each(FORMS)('accepts %s', async (_, code, value) => {
    const accepted = acceptCode(code, options);
    expect(await evaluate(accepted)).toEqual(value);
    expect(accepted.text).toBe(code.replace(/\r\n?/g, '\n'));
  });

  test.each(FORMS)('keeps the lines and columns of %s', (_, code) => {
    const accepted = acceptCode(code, options);
    const evaluated = `(${accepted.source}\n)`.split('\n');
    accepted.text.split('\n').forEach((own, index) => {
      const line = evaluated[index] ?? '';
      for (let column = 1; column <= line.length; column += 1) {
        if (!isOwn(accepted, index + 1, column)) continue;
        const ours = ownColumn(accepted, index + 1, column);
        const character = line[column - 1];
        // Blanked, or replaced in place: `const $main =` for `export default`, `()` for a parameter.
        if (character?.trim() === '' || (/^(export default|async spec)/.test(own) && ours <= 14)) continue;
        // For an import of what is global.
        if (/^(?:import\b|.*(?:require|import)\(')/.test(own)) continue;
        expect(own[ours - 1], `column ${ours} of ${own}`).toBe(character);
      }
    });
  });

  test.each<[name: string, code: string, value: unknown, text: string]>([
    ['an object', '{"code": "async () => {\\n  return 5\\n}"}', 5, 'async () => {\n  return 5\n}'],
    ['an object with a bare body', ' { "code" : "const a = 1\\r\\nreturn a" } ', 1, 'const a = 1\nreturn a'],
    ['a string', '"async () => { return \\"x\\" }"', 'x', 'async () => { return "x" }'],
    ['no more than once', '{"code": "{\\"code\\": 1}"}', { code: 1 }, '{"code": 1}'],
    ['beside other fields', '{"language": "js", "code": "() => 1"}', 1, '() => 1'],
    ['a whole call', '{"name": "execute_write", "arguments": {"code": "return 4"}}', 4, 'return 4'],
    [
      'a call whose arguments are text',
      '{"type": "function", "function": {"arguments": "{\\"code\\": \\"() => 6\\"}"}}',
      6,
      '() => 6',
    ],
    ['an input', '{"input": {"code": "const a = 7; a"}}', 7, 'const a = 7; a'],
    ['a list of one', '[{"code": "async () => 8"}]', 8, 'async () => 8'],
    ['a list of one string', '["async () => 8"]', ['async () => 8'], '["async () => 8"]'],
    ['statements in a string', '"const a = 1; return a + 1;"', 2, 'const a = 1; return a + 1;'],
    ['a string in a string', '"\\"async () => 3\\""', 3, 'async () => 3'],
    ['a literal of JavaScript', "({ tool: 'x', code: 'async () => 9' })", 9, 'async () => 9'],
    [
      'a template in a literal',
      '{ code: `async () => {\n  return 5\n}`, language: "js" }',
      5,
      'async () => {\n  return 5\n}',
    ],
    ['a function in a literal', '{ code: async () => 5, timeout: 3 }', 5, 'async () => 5'],
    ['data in a fence', `${FENCE}json\n{"code": "() => 2"}\n${FENCE}`, 2, '() => 2'],
    ['not of a function', 'async () => ({ code: "a()" })', { code: 'a()' }, 'async () => ({ code: "a()" })'],
    ['not of other data', '[{"a": 1}]', [{ a: 1 }], '[{"a": 1}]'],
    ['not a text', '"a text"', 'a text', '"a text"'],
  ])('takes code out of JSON: %s', async (_, code, value, text) => {
    const accepted = acceptCode(code, options);
    expect(await evaluate(accepted)).toEqual(value);
    expect(accepted.text).toBe(text);
  });

  const REFUSED: readonly [
    name: string,
    code: unknown,
    error: GatewayError['code'],
    says: string | RegExp,
    place?: string,
  ][] = [
    ['nothing', undefined, 'code_invalid', /Send `code`/],
    ['a number', 5, 'code_invalid', /Send `code`/],
    ['an empty string', '', 'code_invalid', /Send `code`/],
    ['white space', ' \n\t', 'code_invalid', /Send `code`/],
    ['only a comment', '// nothing', 'code_invalid', /Send `code`/],
    ['an empty fence', `${FENCE}js\n${FENCE}`, 'code_invalid', /Send `code`/],
    ['two functions in fences', `${FENCE}js\n1\n${FENCE}\n${FENCE}js\n2\n${FENCE}`, 'code_invalid', /2 fenced blocks/],
    ['text that is too long', 'x'.repeat(10_001), 'code_too_large', /10001 characters; 10000/],
    [
      'a bad token',
      'async () => {\n  const a = 1;\n  let x = ;\n  return a;\n}',
      'code_syntax',
      '3 |   let x = ;',
      '3:11',
    ],
    [
      'a bad token behind CRLF',
      'async () => {\r\n  const a = 1;\r\n  let x = ;\r\n}',
      'code_syntax',
      '3 |   let x = ;',
      '3:11',
    ],
    [
      'a bad token in a fence',
      `Look:\n${FENCE}js\nasync () => {\n  let x = ;\n}\n${FENCE}`,
      'code_syntax',
      '4 |   let x = ;',
      '4:11',
    ],
    ['a bad token in a bare body', 'let x = ;', 'code_syntax', /Line 1/, '1:9'],
    ['a bad token in an anonymous function', 'async function () {\n  let x = ;\n}', 'code_syntax', /Line 2/, '2:11'],
    [
      'a bad token beside types',
      'async (): Promise<number> => {\n  const é: string = "漢😀";  let x = ;\n}',
      'code_syntax',
      /let x/,
      '2:37',
    ],
    ['a bad type', 'async () => {\n  let x: = 3;\n}', 'code_syntax', /Line 2/, '2:10'],
    ['an open brace', 'async () => {\n  return 1;\n', 'code_syntax', /not closed/, '3:1'],
    ['an open string', 'async () => "a', 'code_syntax', /Unterminated string/, '1:13'],
    [
      'await in a function that is not async',
      'async () => {\n  [1].map(x => { await x; });\n}',
      'code_syntax',
      /make that function async/,
      '2:24',
    ],
    ['prose', "Here's the code", 'code_syntax', /does not parse/],
    ['breaking out', '}); evil(', 'code_syntax', /Line 1/, '1:1'],
    ['breaking out of the brackets', '1); evil(2', 'code_syntax', /Line 1/, '1:2'],
    ['breaking out of the body', 'return 1 }); evil(async () => { return 2', 'code_syntax', /Line 1/, '1:10'],
    ['a comment that swallows the end', 'async () => 1 /*', 'code_syntax', /comment/],
    ['a HTML-like comment', 'async () => 1\n<!-- x', 'code_syntax', /HTML-like/, '2:1'],
    [
      'an import of a global from elsewhere',
      'import { Sandbox } from "f2b";\nasync () => 1',
      'code_syntax',
      /Sandbox is a global already/,
      '1:1',
    ],
    ['Python', 'from e2b import Sandbox\nSandbox()', 'code_syntax', /This is Python/, '1:10'],
    ['Python that imports', 'import os\nprint(os.listdir("/"))', 'code_syntax', /This is Python.*runCode/, '2:1'],
    ['a Python import alone', 'import os, sys', 'code_syntax', /This is Python/],
    ['a Python function', 'def f():\n    return 1', 'code_syntax', /This is Python/, '1:8'],
    ['a Python loop', 'x = 1\nfor i in range(3):\n    print(i)', 'code_syntax', /This is Python/, '2:5'],
    [
      'JavaScript beside Python',
      'async () => {\n  await s.runCode(`\nimport os\nfor i in x:\n  i\n`); let x = ;\n}',
      'code_syntax',
      /Unexpected token/,
      '6:13',
    ],
    ['escaped arrows', 'async () =&gt; { return 1 }', 'code_syntax', /HTML-escaped: send => as it is/],
    ['a question', 'how do I upload a file?', 'code_syntax', /async \(\) => find\('…'\)/],
    [
      'JSON with code that does not parse',
      '{"code": "async () => {\\n let x = ;\\n}"}',
      'code_syntax',
      /Line 2/,
      '2:10',
    ],
    ['another import', 'const a = 1;\nimport fs from "fs";', 'code_syntax', /no modules here/, '2:1'],
    ['a named export', 'export const a = 1', 'code_syntax', /Only `export default`/, '1:1'],
    ['import.meta', 'async () => import.meta.url', 'code_syntax', /import\.meta/, '1:13'],
    ['an enum', 'async () => {\n  enum A { B }\n}', 'code_syntax', /enums are not supported: use an object/, '2:3'],
    ['a namespace', 'namespace A { export const b = 1 }', 'code_syntax', /namespaces are not supported/, '1:1'],
    [
      'a parameter property',
      'class A { constructor(private b: number) {} }',
      'code_syntax',
      /parameter properties/,
      '1:31',
    ],
    ['an assertion in angle brackets', 'const a = <number>1;', 'code_syntax', /value as Type/, '1:11'],
    ['a decorator', '@dec\nclass A {}', 'code_syntax', /Decorators/, '1:1'],
    ['a generator', 'function* main() { yield 1 }', 'code_invalid', /generator/, '1:1'],
    ['parameters that are not there', 'async ({ client }) => client.get()', 'code_invalid', /without arguments/, '1:8'],
    ['nesting', '('.repeat(5000) + ')'.repeat(5000), 'code_syntax', /nested too deeply/],
  ];

  test.each(REFUSED)('refuses %s', (_, code, error, says, place) => {
    // The stripper traps on what is nested too deeply; the acceptor's tests cover that.
    const caught = refused(
      code,
      typeof code === 'string' && code.startsWith('((((') ? ({ maxChars: 20_000 } as typeof options) : options,
    );
    expect(caught.code).toBe(error);
    expect(caught.message).toMatch(says);
    expect(caught.message.length).toBeLessThan(800);
    if (place !== undefined) {
      const [line, column] = place.split(':').map(Number);
      expect(caught.message).toContain(`Line ${line}, column ${column}:`);
      const [text = '', caret = ''] = caught.message.split('\n').slice(-2);
      expect(text.startsWith(`${line} | `)).toBe(true);
      expect(caret.indexOf('^')).toBe(`${line} | `.length + (column ?? 0) - 1);
    }
  });

  test('a long line is shown around the fault', () => {
    const { message } = refused(
      `async () => { const a = "${'y'.repeat(5000)}"; let x = ; return "${'z'.repeat(3000)}" }`,
    );
    const [line = '', caret = ''] = message.split('\n').slice(-2);
    expect(line.length).toBeLessThan(140);
    expect(line[caret.indexOf('^')]).toBe(';');
  });
});

/** Not one of the characters that were put in. */
function isOwn(code: AcceptedCode, line: number, column: number): boolean {
  return !code.insertions.some(put => put.line === line && column >= put.column && column < put.column + put.by);
}

describe('properties', () => {
  const names = fc.constantFrom('a', 'b', 'c');
  const { expression } = fc.letrec<{ expression: string }>(tie => ({
    expression: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.integer({ min: 0, max: 9 }).map(String),
      names,
      fc.constantFrom('"x\\n"', '`t`', '/r[/]/g.source', '[]', 'null', '"}) ; ("', '"//"', '`/*`'),
      fc
        .tuple(
          tie('expression'),
          fc.constantFrom('+', '*', '<', '>', '&&', '||', '??', ',').filter(op => op !== '??'),
          tie('expression'),
        )
        .map(([l, op, r]) => `(${l} ${op} ${r})`),
      tie('expression').map(e => `[${e}, ${e}]`),
      tie('expression').map(e => `({ a: ${e} })`),
      tie('expression').map(e => `await ${`(${e})`}`),
      tie('expression').map(e => `(await (async () => ${e.startsWith('{') ? `(${e})` : `(${e})`})())`),
      tie('expression').map(e => `\`\${${e}}\``),
      fc.tuple(tie('expression'), tie('expression'), tie('expression')).map(([x, y, z]) => `(${x} ? ${y} : ${z})`),
    ),
  }));
  const end = fc.constantFrom(';\n', ';', '\n', '; // x\n', ' /* } */;\n', '\r\n', ';;\n');
  const statement = fc.oneof(
    fc
      .tuple(names, expression, end)
      .map(([n, e, x]) => `${n} = ${e}${x.startsWith('\n') || x.startsWith('\r') ? `;${x}` : x}`),
    fc.tuple(expression, names, expression).map(([e, n, f]) => `if (${e}) { ${n} = ${f} } else { ${n} = 1 }\n`),
    fc.tuple(names, expression).map(([n, e]) => `try { ${n} = ${e} } catch { }\n`),
    fc.tuple(expression, end).map(([e, x]) => `void (${e})${x.startsWith('\n') || x.startsWith('\r') ? `;${x}` : x}`),
    expression.map(e => `if (0) return ${e};\n`),
  );
  const body = fc
    .tuple(fc.array(statement, { maxLength: 4 }), expression, fc.constantFrom('', ';', ' // end', ' /* end */', '\n'))
    .map(([statements, e, x]) => ({ head: `let a = 1, b = "b", c = [2];\n${statements.join('')}`, e, x }));

  test('accepted programs do what they did', async () => {
    await fc.assert(
      fc.asyncProperty(
        body,
        fc.constantFrom('body', 'last', 'arrow', 'named', 'export', 'fence', 'typed'),
        async ({ head, e, x }, form) => {
          const reference = (await vm.runInNewContext(`(async () => {${head}\nreturn (${e})\n})()`)) as unknown;
          const forms: Record<string, string> = {
            body: `${head}return (${e})${x}`,
            last: `${head}(${e})${x}`,
            arrow: `async () => {\n${head}return (${e})\n}${x}`,
            named: `async function main() {\n${head}return (${e})\n}\nmain()${x}`,
            export: `export default async function () {\n${head}return (${e})\n}${x}`,
            fence: `Text.\n${FENCE}js\n${head}return (${e})${x}\n${FENCE}`,
            typed: `let t: number = 1;\n${head}return (${e}) as unknown${x}`,
          };
          expect(await evaluate(acceptCode(forms[form] ?? '', options))).toEqual(structuredClone(reference));
        },
      ),
      { numRuns: 400 },
    );
  });

  test('anything else is refused with a GatewayError, or is one expression', () => {
    const scraps = fc.array(
      fc.constantFrom(
        '(',
        ')',
        '{',
        '}',
        '[',
        ']',
        '=>',
        'async',
        ' ',
        '\n',
        'await',
        'return',
        ';',
        '`',
        '${',
        '/',
        '*/',
        '/*',
        '//',
        '"',
        "'",
        'x',
        '1',
        ',',
        'export default',
        'function',
        '<',
        '>',
        ':',
        '?',
        '.',
        '```',
        '\r',
        '\u2028',
        '#!',
        'import',
        '\\',
        'class',
        '=',
        'let',
        'x:',
        '...',
        '@',
        '\ud800',
        '<!--',
        '-->',
      ),
      { maxLength: 14 },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          scraps.map(s => s.join('')),
          scraps.map(s => s.join(' ')),
          fc.string({ unit: 'binary' }),
        ),
        text => {
          let accepted: AcceptedCode;
          try {
            accepted = acceptCode(text, options);
          } catch (error) {
            expect(error).toBeInstanceOf(GatewayError);
            return;
          }
          const program = parse(`(${accepted.source}\n)`, { ecmaVersion: 2025 });
          expect(program.body.map(statement => statement.type)).toEqual(['ExpressionStatement']);
        },
      ),
      { numRuns: 3000 },
    );
  });
});
