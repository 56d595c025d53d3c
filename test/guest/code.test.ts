import { describe, expect, test } from 'vitest';
import type { GatewayError } from '../../src/errors.ts';
import { type AcceptedCode, acceptCode, ownColumn } from '../../src/guest/accept/code.ts';
import { evaluate, FENCE, FORMS, options, refused } from '../support/accepted.ts';

/** Whether the character is the agent's and was not inserted. */
function isOwn(code: AcceptedCode, line: number, column: number): boolean {
  return !code.insertions.some(put => put.line === line && column >= put.column && column < put.column + put.by);
}

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
        // Blanked or replaced: `const $main =` for `export default`, `()` for a parameter.
        if (character?.trim() === '' || (/^(export default|async spec)/.test(own) && ours <= 14)) continue;
        // A replaced import of a global.
        if (/^(?:import\b|export \{|.*(?:require|import)\(')/.test(own)) continue;
        expect(own[ours - 1], `column ${ours} of ${own}`).toBe(character);
      }
    });
  });

  test.each<[name: string, code: string, value: unknown, text: string]>([
    ['an object', '{"code": "async () => {\\n  return 5\\n}"}', 5, 'async () => {\n  return 5\n}'],
    ['an object with a bare body', ' { "code" : "const a = 1\\r\\nreturn a" } ', 1, 'const a = 1\nreturn a'],
    ['a string', '"async () => { return \\"x\\" }"', 'x', 'async () => { return "x" }'],
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
    ['a list of one string', '["async () => 8"]', 8, 'async () => 8'],
    ['a list of one string of statements', '["return 8"]', 8, 'return 8'],
    ['a list of lines that are statements', '["const x = 4;", "x * 2"]', 8, 'const x = 4;\nx * 2'],
    ['a list of one fence', '["```js\\nasync () => 8\\n```"]', 8, '```js\nasync () => 8\n```'],
    ['an object with one field that is a program', '{"content": "return 8"}', 8, 'return 8'],
    ['a list of lines', '["async () => {", "return 8", "}"]', 8, 'async () => {\nreturn 8\n}'],
    ['code as a list of lines', '{"code": ["const a = 8", "return a"]}', 8, 'const a = 8\nreturn a'],
    ['under an unknown name', '{"payload": {"run": "async () => 8"}}', 8, 'async () => 8'],
    ['the call of an agent framework', '{"action": "x", "action_input": {"code": "() => 8"}}', 8, '() => 8'],
    ['several calls, one of code', '{"tool_uses": [{"parameters": {"code": "() => 8"}}]}', 8, '() => 8'],
    ['a name in capitals', '{"Code": "return 8"}', 8, 'return 8'],
    ['real line ends in a string', '{"code": "async () => {\n  return 8\n}"}', 8, 'async () => {\n  return 8\n}'],
    ['a method of a literal', '({ async code() { return 8 } })', 8, 'async function () { return 8 }'],
    ['what is returned or exported', 'export default { code: () => 8 }', 8, '() => 8'],
    ['prose before a block of JSON', `Call:\n${FENCE}json\n{"code": "() => 8"}\n${FENCE}`, 8, '() => 8'],
    ['tags around it', '<tool_call>\n{"arguments": {"code": "() => 8"}}\n</tool_call>', 8, '() => 8'],
    ['tags of a parameter', '<invoke name="x"><parameter name="code">() => 8</parameter></invoke>', 8, '() => 8'],
    ['the name of the language before it', 'javascript\nasync () => 8', 8, 'async () => 8'],
    [
      'line ends that were escaped',
      'async () => {\\n  return "\\\\n".length\\n}',
      1,
      'async () => {\n  return "\\n".length\n}',
    ],
    ['quotes that were escaped', 'async () => {\\n return \\"a\\"\\n}', 'a', 'async () => {\n return "a"\n}'],
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
    ['but not out of a function', 'async () => ({ code: "a()" })', { code: 'a()' }, 'async () => ({ code: "a()" })'],
    ['but not out of other data', '[{"a": 1}]', [{ a: 1 }], '[{"a": 1}]'],
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
    message: string | RegExp,
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
    [
      'an import of another module',
      'const a = 1;\nimport fs from "fs";',
      'code_syntax',
      /There is no module fs here\. There is no file system here/,
      '2:1',
    ],
    ['an export from elsewhere', 'export { a } from "b"', 'code_syntax', /Only `export default`/, '1:1'],
    [
      'an import of a package',
      'import z from "zod"',
      'code_syntax',
      /There is no module zod here\. There are no packages/,
    ],
    [
      'an import of a name that a module does not have',
      'import { createHash } from "crypto"',
      'code_syntax',
      /Hashes: sbx\.commands/,
    ],
    ['an import of the desktop SDK', 'import { Sandbox } from "@e2b/desktop"', 'code_syntax', /create\('desktop'\)/],
    ['a call without code', '{"command": "ls -la"}', 'code_invalid', /data without code/, '1:1'],
    ['nested data without code', '{"code": "{\\"code\\": 1}"}', 'code_invalid', /data without code/],
    ['a call with two pieces of code', '{"a": "() => 1", "b": "() => 2"}', 'code_invalid', /2 pieces of code/],
    ['code that is declared as Python', '{"code": "10 // 3", "language": "python"}', 'code_invalid', /This is Python/],
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
    ['parameters that have no value', 'async ({ client }) => client.get()', 'code_invalid', /without arguments/, '1:8'],
    ['nesting', '('.repeat(5000) + ')'.repeat(5000), 'code_syntax', /nested too deeply/],
  ];

  test.each(REFUSED)('refuses %s', (_, code, error, message, place) => {
    // The stripper traps on deeply nested code; the acceptor's tests cover that.
    const caught = refused(
      code,
      typeof code === 'string' && code.startsWith('((((') ? ({ maxChars: 20_000 } as typeof options) : options,
    );
    expect(caught.code).toBe(error);
    expect(caught.message).toMatch(message);
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
