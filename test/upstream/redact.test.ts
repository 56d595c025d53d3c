import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Operation } from '../../src/spec/description.ts';
import { shapeAnswer } from '../../src/upstream/answer.ts';
import { MASK } from '../../src/upstream/key-spellings.ts';
import { secretsOf } from '../../src/upstream/redact.ts';
import { description } from '../support/description.ts';

const apiKey = `e2b_${randomBytes(20).toString('hex')}`;
const operation = (id: string): Operation => {
  const found = description.operations.find(candidate => candidate.id === id);
  if (found === undefined) throw new Error(`no ${id}`);
  return found;
};
const redactText = (text: string, of?: Operation) => shapeAnswer(text, { apiKey, secrets: of && secretsOf(of) }).json;
const redact = (value: unknown, id?: string) =>
  JSON.parse(redactText(JSON.stringify(value), id === undefined ? undefined : operation(id)));

describe('secrets are masked by name at any depth', () => {
  test.each(['envdAccessToken', 'trafficAccessToken', 'token', 'apiKey', 'accessToken', 'password'])('%s', name => {
    expect(redact([{ a: { [name]: 'x', b: 1 } }])).toEqual([{ a: { [name]: MASK, b: 1 } }]);
    expect(redact({ [name]: { inner: 'x' } })).toEqual({ [name]: MASK });
    expect(redact({ [name]: null })).toEqual({ [name]: null });
  });
  test('in header transforms, proxy and registry credentials, whose names stay', () => {
    const network = {
      rules: { 'a.example': [{ transform: { headers: { authorization: 'Bearer x' } } }] },
      allowOut: ['b'],
    };
    expect(redact({ network })).toEqual({
      network: { rules: { 'a.example': [{ transform: { headers: { authorization: MASK } } }] }, allowOut: ['b'] },
    });
    expect(redact({ egressProxy: { username: 'u', password: 'p' } })).toEqual({
      egressProxy: { username: MASK, password: MASK },
    });
    expect(redact({ fromImageRegistry: { type: 'aws', awsSecretAccessKey: 'x' } })).toEqual({
      fromImageRegistry: { type: MASK, awsSecretAccessKey: MASK },
    });
  });
  test('in presigned URLs in any field', () => {
    const url = 'https://storage.example/x?X-Goog-Date=1&X-Goog-Signature=abc';
    expect(redact({ link: url, other: 'https://storage.example/x?y=1' })).toEqual({
      link: MASK,
      other: 'https://storage.example/x?y=1',
    });
  });
  test('if the name is written with escapes', () => {
    expect(redactText('{"envdAccess\\u0054oken":"x"}')).toBe(`{"envdAccessToken":"${MASK}"}`);
  });
});

describe('secrets are masked by place', () => {
  test('as the description marks it, also in allOf and lists', () => {
    const sandbox = { sandboxID: 'i1', sessionCode: 'x', mounts: [{ key: 'k', name: 'n' }] };
    expect(redact(sandbox, 'GET /sandboxes/{sandboxID}')).toEqual({
      sandboxID: 'i1',
      sessionCode: MASK,
      mounts: [{ key: MASK, name: 'n' }],
    });
    expect(redact(sandbox, 'GET /v2/sandboxes')).toEqual(sandbox);
    expect(redact({ present: true, url: 'https://x' }, 'GET /templates/{templateID}/files/{hash}')).toEqual({
      present: true,
      url: MASK,
    });
  });
});

test("the caller's key is masked with and without prefix, in JSON and in text", () => {
  const bare = apiKey.slice(4);
  for (const text of [JSON.stringify({ echo: `key ${apiKey}!` }), `key ${apiKey}!`, JSON.stringify([bare])]) {
    expect(redactText(text)).not.toContain(bare);
  }
});

test.each([
  ['in a value', (escaped: string) => `{"echo":"key ${escaped}!"}`],
  ['in a name', (escaped: string) => `{"${escaped}":1}`],
  ['in text that is not JSON', (escaped: string) => `{"echo":"${escaped}`],
])("the caller's key is masked if it is written with escapes %s", (_where, write) => {
  const escaped = [...apiKey].map(char => `\\u00${char.charCodeAt(0).toString(16)}`).join('');
  const half = escaped.slice(0, 6 * 10) + apiKey.slice(10);
  for (const text of [
    write(escaped),
    write(half),
    write(escaped.replaceAll('6', '6').toUpperCase().replaceAll('\\U', '\\u')),
  ]) {
    expect(redactText(text)).toContain(MASK);
    expect(JSON.stringify(JSON.parse(redactText(text)))).not.toContain(apiKey.slice(4));
  }
});

describe('a body', () => {
  test('without secrets is not changed', () => {
    const text = '[ {"id":12345678901234567890, "nextToken":"t", "a":"\\u0026"} ]\n';
    expect(redactText(text, operation('GET /v2/sandboxes'))).toBe(text);
  });
  test.each(['', '  \n'])('of %j becomes null', text => {
    expect(redactText(text)).toBe('null');
  });
  test.each(['<html>', '{"a":1', '{"a":1}}', '{"a":1},"status":500,"b":{"c":1}', 'NaN', '{"half":"\ufffd'])(
    'of %j becomes a string',
    text => {
      expect(JSON.parse(redactText(text))).toBe(text);
    },
  );
  test('that is very deep causes no error', () => {
    const deep = `${'['.repeat(50_000)}{"token":"x-secret"}${']'.repeat(50_000)}`;
    expect(redactText(deep)).not.toContain('x-secret');
  });
  test('of any JSON stays valid, and the same if nothing is secret', () => {
    fc.assert(
      fc.property(fc.json(), text => {
        const redacted = redactText(text);
        if (/token|password|apiKey|transform|ignature|sig=|\\u/i.test(text)) JSON.parse(redacted);
        else expect(redacted).toBe(text);
      }),
    );
  });
  test('with a secret anywhere has it masked', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat(3), fc.stringMatching(/^[a-z]{1,5}$/)), { maxLength: 8 }), path => {
        const at = (rest: readonly (string | number)[]): unknown => {
          const [first, ...others] = rest;
          if (first === undefined) return { envdAccessToken: 'x-secret' };
          return typeof first === 'number' ? [...Array(first).fill(0), at(others)] : { a: 1, [first]: at(others) };
        };
        expect(redactText(JSON.stringify(at(path)))).not.toContain('x-secret');
      }),
    );
  });
});

test('the secret of a webhook is masked by place and by name in every response', () => {
  const secret = 'whsec-0123456789';
  for (const body of [{ id: 'w1', signatureSecret: secret }, [{ data: { signatureSecret: secret } }]])
    expect(redactText(JSON.stringify(body))).not.toContain(secret);
});
