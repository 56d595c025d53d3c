// Properties of all accepted code: its value, its lines, and that it cannot break out of its function.
import vm from 'node:vm';
import { parse } from 'acorn';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { type AcceptedCode, acceptCode } from '../../src/guest/accept/code.ts';
import { evaluate, FENCE, options } from '../support/accepted.ts';
import { FUZZ_TIMEOUT_MS, fuzzRounds } from '../support/fuzz.ts';

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

  test('accepted programs give the same value as before', { timeout: FUZZ_TIMEOUT_MS }, async () => {
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
      { numRuns: fuzzRounds(80) },
    );
  });

  test('anything else is refused with a GatewayError, or is one expression', { timeout: FUZZ_TIMEOUT_MS }, () => {
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
      { numRuns: fuzzRounds(300) },
    );
  });
});
