import { afterAll, describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { createCodeAcceptor } from '../../src/guest/accept/acceptor.ts';

const acceptor = createCodeAcceptor({ maxChars: 256_000, deadlineMs: 1500 });
afterAll(() => acceptor.close());

const sender = (principalId = 'one', signal = new AbortController().signal) => ({ principalId, signal });
const accept = (code: unknown) => acceptor.accept(code, sender());

/** swc needs exponential time for it. */
const SLOW = `${'a?(b):(c='.repeat(40)}1${')=>1'.repeat(40)} as any`;
const DEEP = `let a: any = ${'['.repeat(4000)}${']'.repeat(4000)}`;

describe('the acceptor', () => {
  test('takes plain JavaScript, TypeScript and large texts', async () => {
    await acceptor.warm();
    expect((await accept('async () => 1')).source).toBe('async () => 1');
    expect((await accept('async (): Promise<number> => 1')).source).toMatch(/^async \(\)\s+=> 1$/);
    const large = await accept(`async () => [${'1, '.repeat(30_000)}]`);
    expect(large.insertions).toEqual([{ line: 1, column: 1, by: 1 }]);
  });

  test('refuses as acceptCode does', async () => {
    await expect(accept(undefined)).rejects.toMatchObject({ code: 'code_invalid' });
    await expect(accept('x'.repeat(256_001))).rejects.toMatchObject({ code: 'code_too_large' });
    const error = await accept('async () => {\n  let x = ;\n}').catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(GatewayError);
    expect(error).toMatchObject({ code: 'code_syntax', message: expect.stringContaining('Line 2, column 11') });
  });

  test('what takes the stripper too long or breaks it costs only itself', async () => {
    let ticks = 0;
    const ticking = setInterval(() => {
      ticks += 1;
    }, 20);
    const [slow, deep, good] = await Promise.allSettled([
      accept(SLOW),
      accept(DEEP),
      accept('const a: number = 1;\na'),
    ]);
    clearInterval(ticking);
    expect(slow).toMatchObject({
      status: 'rejected',
      reason: { code: 'code_syntax', message: expect.stringMatching(/too long to parse/) },
    });
    expect(deep).toMatchObject({
      status: 'rejected',
      reason: { code: 'code_syntax', message: expect.stringMatching(/nested too deeply/) },
    });
    expect(good).toMatchObject({ status: 'fulfilled' });
    // The event loop went on.
    expect(ticks).toBeGreaterThan(10);
  });

  test('a queue has an end', async () => {
    const many = await Promise.allSettled(Array.from({ length: 80 }, () => accept('const a: number = 1;\na')));
    const refused = many.filter(one => one.status === 'rejected').map(one => one.reason as GatewayError);
    expect(refused.length).toBeGreaterThan(0);
    for (const error of refused) expect(error).toMatchObject({ code: 'busy', retryAfterMs: 1000 });
    expect(many.length - refused.length).toBeGreaterThanOrEqual(64);
  });

  test('callers take turns, and who has left waits no more', async () => {
    const order: string[] = [];
    const gone = new AbortController();
    const note = (name: string) => () => void order.push(name);
    const code = 'const a: number = 1;\na';
    const first = acceptor.accept(SLOW, sender('greedy')).catch(note('slow'));
    const left = Array.from({ length: 3 }, () =>
      acceptor.accept(SLOW, sender('greedy', gone.signal)).catch((error: GatewayError) => error.code),
    );
    const greedy = [1, 2, 3].map(() => acceptor.accept(code, sender('greedy')).then(note('greedy')));
    const other = acceptor.accept(code, sender('other')).then(note('other'));
    gone.abort();
    expect(await Promise.all(left)).toEqual(['cancelled', 'cancelled', 'cancelled']);
    await Promise.all([first, ...greedy, other]);
    expect(order).toEqual(['slow', 'greedy', 'other', 'greedy', 'greedy']);
  });

  test('closing answers those who wait', async () => {
    const closing = createCodeAcceptor({ maxChars: 1000 });
    const waiting = Promise.allSettled([
      closing.accept('let a: any', sender()),
      closing.accept('let a: any', sender()),
    ]);
    await closing.close();
    for (const one of await waiting) expect(one).toMatchObject({ status: 'rejected' });
  });
});
