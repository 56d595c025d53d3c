// An engine's worker accepts code exactly as the acceptor does, or leaves it to the acceptor.
import { describe, expect, it } from 'vitest';
import { acceptCode, acceptedFrom, MAX_PLAIN_CHARS } from '../../src/guest/accept/code.ts';
import { readCode } from '../../src/guest/accept/plain.ts';
import { faultOfExpression } from '../../src/guest/accept/syntax.ts';
import { FORMS, options } from '../support/accepted.ts';

describe('plain code', () => {
  it.each(FORMS)('%s: the result is the same as the acceptor’s, or the code is left to it', (_name, code) => {
    const { source, text } = acceptCode(code, options);
    expect([source, undefined]).toContain(readCode(code));
    if (readCode(code) !== undefined) expect(text).toBe(code);
  });

  it.each([
    ['an arrow', 'async () => 1'],
    ['a bare body', 'const a = await api.request();\nreturn a'],
    ['a named function', 'async function main() { return 1 }\nmain()'],
    ['a template', 'async () => `${1}`'],
  ])('%s is accepted by the worker', (_name, code) => {
    expect(readCode(code)).toBe(acceptCode(code, options).source);
  });

  it.each([
    ['a return in a static block', 'async () => { class A { static { return 1 } } }'],
    ['an export inside the function', 'async () => { export const a = 1 }'],
    ['an import inside the function', "async () => { import a from 'a' }"],
    ['await outside the function', 'async (a = await 1) => a'],
    ['await in another function', 'async () => { const a = () => { await 1 } }'],
    ['a second statement', 'async () => 1\nasync () => 2, await 3'],
  ])('%s: what is valid only in a program is not taken for a function', (_name, code) => {
    const source = readCode(code);
    if (source !== undefined) expect(faultOfExpression(source)).toBeUndefined();
    else expect(() => acceptCode(code, options)).toThrow();
  });

  it.each(FORMS)('%s: what is accepted is exactly one expression', (_name, code) => {
    expect(faultOfExpression(acceptCode(code, options).source)).toBeUndefined();
  });

  it.each([
    ['TypeScript', 'async () => { const a: number = 1; return a }'],
    ['a generic call', 'function id(x) { return x }\nreturn id<string>("x")'],
    ['JSON around the code', JSON.stringify({ code: 'async () => 1' })],
    ['other line ends', 'async () => {\r\n  return 1\r\n}'],
    ['code that does not parse', 'async () => {'],
    ['code that is refused', 'async ({ token }) => 1'],
    ['nothing', ' '],
    ['code nested too deeply', '('.repeat(MAX_PLAIN_CHARS)],
    ['code that is too long', `async () => 1 //${'x'.repeat(MAX_PLAIN_CHARS)}`],
  ])('%s is left to the acceptor', (_name, code) => {
    expect(readCode(code)).toBeUndefined();
  });

  it('the place of an error is found from the text alone; code that cannot be accepted has none', () => {
    const text = 'const a = 1;\nnope()';
    expect(acceptedFrom({ text })).toEqual(acceptCode(text, options));
    expect(acceptedFrom({ text: 'async () => {' })).toMatchObject({ text: 'async () => {', insertions: [] });
  });
});
