// Sealed texts open only as they were given out: for their purpose, issuer, ring and time, and in no other spelling.
import { hkdfSync } from 'node:crypto';
import fc from 'fast-check';
import { CompactEncrypt, EncryptJWT } from 'jose';
import { describe, expect, it, vi } from 'vitest';
import { E2B } from '../../src/e2b/api.ts';
import { type Purpose, Seal } from '../../src/ground/seal.ts';
import { newRing } from '../support/front.ts';
import { fuzzRounds } from '../support/fuzz.ts';

const SEALED_PREFIX = E2B.signIn.sealedPrefix;
const ISSUER = 'https://gateway.example';
const START_MS = Date.UTC(2026, 10, 25);

function newSeal(ring = newRing(), issuer = ISSUER, clock = { nowMs: START_MS }) {
  return new Seal({ ring: [ring], issuer, audience: `${issuer}/mcp`, prefix: SEALED_PREFIX, now: () => clock.nowMs });
}

const PURPOSES: readonly Purpose[] = ['client', 'request', 'code', 'access', 'refresh'];

describe('a text opens', () => {
  it.each(PURPOSES)('as what it was sealed for: %s', async purpose => {
    const seal = newSeal();
    const opened = await seal.open(purpose, await seal.seal(purpose, { a: 1, b: 'ü' }, 60));
    expect(opened).toMatchObject({ claims: { a: 1, b: 'ü' }, kid: 'k1', iat: START_MS / 1000 });
  });

  it('under any key of the ring, and is sealed under the first: a rotation breaks no token', async () => {
    const [old, fresh] = [newRing('old'), newRing('new')];
    const of = (...ring: [ReturnType<typeof newRing>, ...ReturnType<typeof newRing>[]]) =>
      new Seal({ ring, issuer: ISSUER, audience: 'a', prefix: SEALED_PREFIX, now: () => START_MS });
    const before = await of(old).seal('access', { a: 1 });
    const during = of(fresh, old);
    expect(await during.open('access', before)).toMatchObject({ kid: 'old' });
    const after = await during.seal('access', { a: 1 });
    expect(await of(fresh).open('access', after)).toMatchObject({ kid: 'new' });
    expect(await of(fresh).open('access', before)).toBeUndefined();
  });
});

describe('a text does not open', () => {
  it('for another purpose', async () => {
    const seal = newSeal();
    for (const purpose of PURPOSES) {
      const sealed = await seal.seal(purpose, {});
      const opened = await Promise.all(PURPOSES.map(async other => [other, await seal.open(other, sealed)] as const));
      expect(opened.filter(([, result]) => result !== undefined).map(([other]) => other)).toEqual([purpose]);
    }
  });

  it('under another secret of the same name, at another issuer, for another audience', async () => {
    const ring = newRing();
    const sealed = await newSeal(ring).seal('access', {});
    expect(await newSeal(newRing()).open('access', sealed)).toBeUndefined();
    expect(await newSeal(ring, 'https://other.example').open('access', sealed)).toBeUndefined();
    const elsewhere = new Seal({
      ring: [ring],
      issuer: ISSUER,
      audience: 'https://other/mcp',
      prefix: SEALED_PREFIX,
      now: () => START_MS,
    });
    expect(await elsewhere.open('access', sealed)).toBeUndefined();
  });

  it('when its time is over, some seconds of difference between clocks aside', async () => {
    const clock = { nowMs: START_MS };
    const seal = newSeal(newRing(), ISSUER, clock);
    const [short, endless] = [await seal.seal('code', {}, 60), await seal.seal('client', {})];
    clock.nowMs += 59_000;
    expect(await seal.open('code', short)).toBeDefined();
    clock.nowMs += 10_000;
    expect(await seal.open('code', short)).toBeUndefined();
    clock.nowMs += 10 * 365 * 86_400_000;
    expect(await seal.open('client', endless)).toBeDefined();
  });

  it('with any character changed, cut off or added', async () => {
    const seal = newSeal();
    const sealed = await seal.seal('access', { key: 'value' }, 60);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ';
    const changed = fc.oneof(
      fc.nat(sealed.length - 1).map(length => sealed.slice(0, length)),
      fc
        .tuple(fc.nat(sealed.length - 1), fc.constantFrom(...alphabet))
        .map(([at, character]) => sealed.slice(0, at) + character + sealed.slice(at + 1)),
      fc
        .tuple(fc.nat(sealed.length), fc.constantFrom(...alphabet))
        .map(([at, character]) => sealed.slice(0, at) + character + sealed.slice(at)),
      fc.tuple(fc.nat(sealed.length - 1), fc.integer({ min: 0, max: 7 })).map(([at, bit]) => {
        const bytes = Buffer.from(sealed, 'latin1');
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        return bytes.toString('latin1');
      }),
    );
    await fc.assert(
      fc.asyncProperty(changed, async text => {
        fc.pre(text !== sealed);
        expect(await seal.open('access', text)).toBeUndefined();
      }),
      { numRuns: fuzzRounds(100) },
    );
  });

  it('in the other spellings that base64url has for the same bytes', async () => {
    const seal = newSeal();
    const sealed = await seal.seal('access', {}, 60);
    const last = sealed.at(-1) ?? '';
    // 16 bytes are 22 characters: the last one has four spare bits.
    const twins = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']
      .filter(character => character !== last)
      .map(character => sealed.slice(0, -1) + character)
      .filter(text => {
        const tag = (of: string) => Buffer.from(of.split('.').at(-1) ?? '', 'base64url').toString('hex');
        return tag(text) === tag(sealed);
      });
    expect(twins.length).toBeGreaterThan(0);
    for (const twin of [...twins, `${sealed}=`]) expect(await seal.open('access', twin)).toBeUndefined();
  });

  it.each([
    '',
    SEALED_PREFIX,
    `${SEALED_PREFIX}....`,
    `${SEALED_PREFIX}${'A'.repeat(100_000)}`,
    'e2b_0123456789abcdef',
  ])('when it is none: %.30s', async text => expect(await newSeal().open('access', text)).toBeUndefined());

  it.each([
    ['is deep', (rest: string) => `${Buffer.from('['.repeat(50_000)).toString('base64url')}.${rest}`],
    [
      'has many values',
      (rest: string) => `${Buffer.from(`[${'{},'.repeat(20_000)}{}]`).toString('base64url')}.${rest}`,
    ],
    ['is followed by dots', (_rest: string, head: string) => `${head}${'.'.repeat(100_000)}`],
  ])('when its head %s, which is not parsed', async (_what, change) => {
    const seal = newSeal();
    const [head = '', ...rest] = (await seal.sealBytes('approval', Buffer.from('x')))
      .slice(SEALED_PREFIX.length)
      .split('.');
    const parse = vi.spyOn(JSON, 'parse');
    try {
      expect(await seal.openBytes('approval', SEALED_PREFIX + change(rest.join('.'), head), 500_000)).toBeUndefined();
      expect(parse).not.toHaveBeenCalled();
    } finally {
      parse.mockRestore();
    }
  });

  it('when its head names another algorithm, another kid, none at all, or a critical extension', async () => {
    const ring = newRing();
    const seal = newSeal(ring);
    const key = new Uint8Array(
      hkdfSync('sha256', ring.secret, new Uint8Array(), `code-mode-gateway/1/access/${ISSUER}`, 32),
    );
    const jwt = () =>
      new EncryptJWT({})
        .setIssuer(ISSUER)
        .setAudience(`${ISSUER}/mcp`)
        .setIssuedAt(START_MS / 1000);
    const right = { alg: 'dir', enc: 'A256GCM', kid: 'k1', typ: 'access' };
    const make = async (header: typeof right) => SEALED_PREFIX + (await jwt().setProtectedHeader(header).encrypt(key));
    expect(await seal.open('access', await make(right))).toBeDefined();
    expect(await seal.open('access', await make({ ...right, kid: 'k2' }))).toBeUndefined();
    expect(await seal.open('access', await make({ ...right, typ: 'JWT' }))).toBeUndefined();
    const { kid: _kid, ...anonymous } = right;
    const nameless = await jwt().setProtectedHeader(anonymous).encrypt(key);
    expect(await seal.open('access', SEALED_PREFIX + nameless)).toBeUndefined();
    const wrapped = await new CompactEncrypt(Buffer.from('{}'))
      .setProtectedHeader({ ...right, alg: 'A256KW' })
      .encrypt(key);
    expect(await seal.open('access', SEALED_PREFIX + wrapped)).toBeUndefined();
  });
});

it('what is sealed stays small: ids and tokens travel in URLs and headers', async () => {
  const { access, client } = {
    access: await newSeal().seal(
      'access',
      {
        g: 'x'.repeat(16),
        k: `e2b_${'0'.repeat(40)}`,
        c: 'x'.repeat(22),
        t: 'vscode',
        s: 'e2b:read e2b:write',
        a: 1_800_000_000,
      },
      60,
    ),
    client: await newSeal().seal('client', {
      n: 'Cursor',
      r: [
        'cursor://anysphere.cursor-mcp/oauth/callback',
        'https://www.cursor.com/agents/mcp/oauth/callback',
        'http://localhost:8787/callback',
      ],
    }),
  };
  expect(access.length).toBeLessThan(700);
  expect(client.length).toBeLessThan(600);
});
