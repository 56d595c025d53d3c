// Text in another language is recognised, and JavaScript is never taken for another language.
import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { acceptCode } from '../../src/guest/accept/code.ts';
import { languageOf } from '../../src/guest/accept/language.ts';
import { stripTypes } from '../../src/guest/accept/typescript.ts';

const refusalOf = (code: string, surface: 'search' | 'read' | 'write' = 'write'): string => {
  try {
    acceptCode(code, { maxChars: 100_000, stripTypes, surface });
    return 'accepted';
  } catch (caught) {
    return caught instanceof GatewayError ? caught.message : String(caught);
  }
};

describe('Python', () => {
  test.each([
    'x = 3\nprint(f"{x}")',
    'x = [n for n in range(3)]\nx',
    "with open('f') as f:\n  print(f.read())",
    'try:\n  x = 1\nexcept ValueError as e:\n  print(e)',
    'squares = {n: n * n for n in range(10)}\nprint(squares)',
    'a = None if b else True\nprint(a)',
    "print 'hello'",
    'class Job:\n    pass',
    '@cached\ndef f(x):\n    return x',
    'total = 0\nwhile total < 3:\n    total += 1',
    'add = lambda a, b: a + b',
  ])('the error names Python and suggests runCode: %j', code => {
    expect(refusalOf(code)).toMatch(/This is Python.*sbx\.runCode/);
    expect(refusalOf(code, 'read')).toContain('execute_write');
    expect(refusalOf(code, 'search')).toContain('find(');
  });
});

describe('a shell command', () => {
  test.each([
    'pip install pandas && python3 main.py',
    'echo hi',
    'curl -s https://example.com | head -5',
    '$ npm run build',
    '#!/bin/bash\nset -e\necho hi',
    'export FOO=1\nnode x.js',
    'for f in *.txt; do echo $f; done',
    'sudo apt-get install -y ffmpeg',
    'FOO=bar node server.js',
    'git clone https://example.com/a/b',
  ])('the error names a shell command and suggests commands.run: %j', code => {
    expect(refusalOf(code)).toMatch(/This is a shell command.*sbx\.commands\.run/);
    expect(refusalOf(code, 'search')).not.toContain('sbx.commands.run(');
  });
});

test.each([
  ['SELECT * FROM sandboxes', /This is SQL/],
  ['#include <stdio.h>\nint main() { return 0; }', /This is C;/],
  ['package main\nfunc main() {\n}', /This is Go/],
  [
    'public class A { public static void main(String[] a) { System.out.println(1); } }',
    /This is Java;.*language: 'java'/,
  ],
  ['<html><body></body></html>', /This is HTML/],
  ['kill all sandboxes that are older than a day', /This is prose.*find\(/],
])('the error names the other language: %j', (code, says) => {
  expect(refusalOf(code)).toMatch(says);
});

test.each([
  ['async () => {\u200b return 1; }', /U\+200B is an invisible character/],
  ['const a = “hi”;\nreturn a', /U\+201C is a typographic quote/],
  ['async () => { return 1 – 2 }', /U\+2013 is not a minus sign/],
  ['async () => { return 1；}', /U\+FF1B is a full-width character/],
  ['async () => { await using s = await Sandbox.create(); return 1 }', /`using` is not supported/],
  ['async () => { using s = f(); return 1 }', /`using` is not supported/],
])('the error names a character or syntax that is not supported: %j', (code, says) => {
  expect(refusalOf(code)).toMatch(says);
});

const FENCE = '```';
test.each([
  [
    'inside a fence',
    `${FENCE}js\nasync () => {\n  const md = \`# T\n${FENCE}py\nprint(1)\n${FENCE}\n\`;\n  return md;\n}\n${FENCE}`,
  ],
  ['without one', `async () => {\n  const md = \`# T\n${FENCE}py\nprint(1)\n${FENCE}\n\`;\n  return md;\n}`],
])('a template literal may contain Markdown fences, %s', async (_, code) => {
  const { source } = acceptCode(code, { maxChars: 100_000, stripTypes });
  const run = new Function(`return (${source}\n)`)() as () => Promise<string>;
  expect(await run()).toBe(`# T\n${FENCE}py\nprint(1)\n${FENCE}\n`);
});

test.each([
  'async () => { const cmd = "pip install x"; return cmd +; }',
  'const rows = [1, 2];\nfor (const row of rows) { console.log(row }',
  'async () => { await s.runCode(`\ndef f():\n  pass\n`); return 1 1 }',
  'const a = b ? c : ;',
  'while (true) { if (x): break }',
])('JavaScript with a syntax error is not taken for another language: %j', code => {
  const message = refusalOf(code);
  expect(message).toMatch(/does not parse/);
  expect(message).not.toMatch(/This is /);
});

test('recognising a language takes limited time', () => {
  for (const unit of ['import a, ', 'x = ', "f'", '# ', 'for a in ', '"""', 'a.b, ', '** ', '\u201c', 'lambda x, '])
    expect(languageOf(unit.repeat(20_000), 0)).not.toBe('HTML');
});
