// Code that is nested too deeply is refused with an error and does not crash the process, whatever form the nesting has.
import { afterAll, expect, it } from 'vitest';
import { CodeAcceptor } from '../../src/guest/accept/acceptor.ts';

const wrap =
  (open: string, inner: string, close: string, head = 'async () =>') =>
  (levels: number) =>
    `${head} ${open.repeat(levels)}${inner}${close.repeat(levels)}`;
/** Makes the code TypeScript, so that only the type stripper parses it. */
const TYPED = 'async (): Promise<number> =>';

const SHAPES: readonly (readonly [what: string, code: (levels: number) => string])[] = [
  ['templates', wrap('`${', '1', '}`')],
  ['arrows', wrap('()=>(', '1', ')')],
  ['arrows without brackets', wrap('a=>', '1', '')],
  ['arrays', wrap('[', '1', ']')],
  ['objects', wrap('{a:', '1', '}')],
  ['negations', wrap('!', '1', '')],
  ['typeof', wrap('typeof ', '1', '')],
  ['new', wrap('new ', 'Date', '')],
  ['assignments', wrap('a=', '1', '')],
  ['conditions', wrap('1?', '1', ':1')],
  ['powers', wrap('2**', '1', '')],
  ['blocks', levels => `async () => { ${'{'.repeat(levels)}${'}'.repeat(levels)} }`],
  ['statements', levels => `async () => { ${'if(1)'.repeat(levels)}; }`],
  ['labels', levels => `async () => { ${Array.from({ length: levels }, (_, i) => `l${i}:`).join('')}; }`],
  ['patterns', levels => `async () => { const ${'['.repeat(levels)}a${']'.repeat(levels)} = 1 }`],
  ['groups of a regular expression', levels => `async () => /${'('.repeat(levels)}${')'.repeat(levels)}/`],
  ['arrays in TypeScript', wrap('[', '1', ']', TYPED)],
  ['arrows in TypeScript', wrap('()=>(', '1', ')', TYPED)],
  ['templates in TypeScript', wrap('`${', '1', '}`', TYPED)],
  ['types', levels => `async () => { let a: ${'['.repeat(levels)}1${']'.repeat(levels)} }`],
  ['classes of a regular expression', levels => `async () => /${'['.repeat(levels)}a${']'.repeat(levels)}/v`],
];

const acceptor = new CodeAcceptor({ maxChars: 262_144 });
afterAll(() => acceptor.close());

it.each(SHAPES)('code nested too deeply is refused, and the next code is accepted: %s', async (shape, code) => {
  const from = { principalId: shape, signal: new AbortController().signal };
  for (const levels of [1_000, 2_000, 5_000]) await acceptor.accept(code(levels), from).catch(() => undefined);
  const refused = { code: expect.stringMatching(/^code_(?:syntax|invalid)$/) };
  await expect(acceptor.accept(code(20_000), from)).rejects.toMatchObject(refused);
  await expect(acceptor.accept('async () => 1', from)).resolves.toMatchObject({ source: 'async () => 1' });
});
