import { afterAll, describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { CodeAcceptor } from '../../src/guest/accept/acceptor.ts';

const acceptor = new CodeAcceptor({ maxChars: 256_000, deadlineMs: 2500 });
/** For code that reaches the deadline. Enough for a new thread to load the type stripper on a busy machine. */
const impatient = new CodeAcceptor({ maxChars: 256_000, deadlineMs: 700 });
afterAll(() => Promise.all([acceptor.close(), impatient.close()]));

const sender = (principalId = 'one', signal = new AbortController().signal) => ({ principalId, signal });
/** On a very busy machine even short code may reach it; it still had its turn. */
const passedDeadline = (error: GatewayError) => expect(error.code).toBe('code_syntax');
const accept = (code: unknown) => acceptor.accept(code, sender());

/** swc takes exponential time for it. */
const SLOW = `${'a?(b):(c='.repeat(40)}1${')=>1'.repeat(40)} as any`;
const DEEP = `let a: any = ${'['.repeat(4000)}${']'.repeat(4000)}`;

describe('the acceptor', () => {
  test('accepts plain JavaScript, TypeScript and large texts', async () => {
    await acceptor.warm();
    expect((await accept('async () => 1')).source).toBe('async () => 1');
    expect((await accept('async (): Promise<number> => 1')).source).toMatch(/^async \(\)\s+=> 1$/);
    const large = await accept(`async () => [${'1, '.repeat(30_000)}]`);
    expect(large.insertions).toEqual([{ line: 1, column: 1, by: 1 }]);
  });

  test('refuses the same code as acceptCode', async () => {
    await expect(accept(undefined)).rejects.toMatchObject({ code: 'code_invalid' });
    await expect(accept('x'.repeat(256_001))).rejects.toMatchObject({ code: 'code_too_large' });
    const error = await accept('async () => {\n  let x = ;\n}').catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(GatewayError);
    expect(error).toMatchObject({ code: 'code_syntax', message: expect.stringContaining('Line 2, column 11') });
  });

  test('code that takes the stripper too long or crashes it is refused, and other code is accepted', async () => {
    let ticks = 0;
    const ticking = setInterval(() => {
      ticks += 1;
    }, 20);
    const [slow, deep, good] = await Promise.allSettled([
      impatient.accept(SLOW, sender('slow')),
      impatient.accept(DEEP, sender('deep')),
      impatient.accept('const a: number = 1;\na', sender('good')),
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
    // The event loop was not blocked.
    expect(ticks).toBeGreaterThan(10);
  });

  test('a full queue refuses the caller with the most requests in it', async () => {
    const code = 'const a: number = 1;\na';
    const many = Promise.allSettled(Array.from({ length: 300 }, () => accept(code)));
    const other = acceptor.accept(code, sender('other'));
    const refused = (await many).filter(one => one.status === 'rejected').map(one => one.reason as GatewayError);
    expect(refused.length).toBeGreaterThan(0);
    for (const error of refused) expect(error).toMatchObject({ code: 'busy', retryAfterMs: 1000 });
    expect(300 - refused.length).toBeGreaterThanOrEqual(250);
    expect((await other).source).toContain('return');
  });

  test('callers take turns, one cannot occupy every thread, and requests of disconnected callers are removed', async () => {
    const order: string[] = [];
    const gone = new AbortController();
    const note = (name: string) => () => void order.push(name);
    const code = 'const a: number = 1;\na';
    const slow = Array.from({ length: 3 }, () => impatient.accept(SLOW, sender('greedy')).catch(note('slow')));
    const left = Array.from({ length: 3 }, () =>
      impatient.accept(SLOW, sender('greedy', gone.signal)).catch((error: GatewayError) => error.code),
    );
    const others = ['one', 'two', 'three'].map(name =>
      impatient.accept(code, sender(name)).catch(passedDeadline).then(note('other')),
    );
    gone.abort();
    expect(await Promise.all(left)).toEqual(['cancelled', 'cancelled', 'cancelled']);
    await Promise.all([...slow, ...others]);
    // At most one slow request got a thread before them.
    expect(order.slice(0, 4).filter(name => name === 'other')).toHaveLength(3);
  });

  test('a caller that exceeded the deadline is served last', async () => {
    await impatient.accept(SLOW, sender('late')).catch(() => undefined);
    const order: string[] = [];
    const enough = new AbortController();
    const slow = Array.from({ length: 4 }, () =>
      impatient.accept(SLOW, sender('late', enough.signal)).catch(() => void order.push('late')),
    );
    const others = Array.from({ length: 20 }, (_, i) =>
      impatient
        .accept('const a: number = 1;\na', sender(`other ${i}`))
        .catch(passedDeadline)
        .then(() => void order.push('other')),
    );
    await Promise.all(others);
    expect(order.filter(name => name === 'late').length).toBeLessThanOrEqual(1);
    enough.abort();
    await Promise.all(slow);
  });

  test('a regular expression that takes long to check does not delay others', async () => {
    const regex = `async () => /${'(?<a>)|(?:'.repeat(738)}${')'.repeat(738)}/.test('')`;
    let ticks = 0;
    const ticking = setInterval(() => {
      ticks += 1;
    }, 20);
    await Promise.allSettled(Array.from({ length: 3 }, (_, i) => impatient.accept(regex, sender(`key ${i}`))));
    clearInterval(ticking);
    expect(ticks).toBeGreaterThan(10);
  });

  test('closing rejects the waiting requests', async () => {
    const closing = new CodeAcceptor({ maxChars: 1000 });
    const waiting = Promise.allSettled([
      closing.accept('let a: any', sender()),
      closing.accept('let a: any', sender()),
    ]);
    await closing.close();
    for (const one of await waiting) expect(one).toMatchObject({ status: 'rejected' });
  });
});
