// Code as models write it, what it becomes, and what it gives when it is evaluated.
import vm from 'node:vm';
import { GatewayError } from '../../src/errors.ts';
import { type AcceptedCode, acceptCode } from '../../src/guest/accept/code.ts';
import { stripTypes } from '../../src/guest/accept/typescript.ts';

export const options = { maxChars: 10_000, stripTypes };

/** As an engine does it: evaluate, call what is a function, await the rest. */
export async function evaluate(code: AcceptedCode): Promise<unknown> {
  const value: unknown = vm.runInNewContext(`(${code.source}\n)`, {
    api: { request: async () => 42 },
    Sandbox: { create: () => 8 },
    e2b: { Sandbox: { create: () => 8 } },
    spec: { paths: 7 },
    log: [],
  });
  return structuredClone(await (typeof value === 'function' ? value() : value));
}

export function refused(code: unknown, given = options): GatewayError {
  try {
    acceptCode(code, given);
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error(`accepted: ${String(code)}`);
}

export const FENCE = '```';

export const FORMS: readonly [name: string, code: string, value: unknown][] = [
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
