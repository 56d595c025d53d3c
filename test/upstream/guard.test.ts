// How the guard handles paths, operations and methods; query, body and form are in guard-body.test.ts.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { targetOf } from '../../src/upstream/client.ts';
import { type GuardedRequest, guardRequest } from '../../src/upstream/guard.ts';
import { fuzzRounds } from '../support/fuzz.ts';
import { get, listed, refusal, target, unlisted } from '../support/guard.ts';

describe('an invalid path is refused with what is wrong', () => {
  test.each([
    ['', /start with/],
    ['sandboxes', /start with "\/"/],
    ['https://api.e2b.app/sandboxes', /path only/],
    ['javascript:alert(1)', /path only/],
    ['GET /sandboxes', /`method`/],
    ['//evil.example/sandboxes', /not two/],
    ['/sandboxes\\..\\teams', /backslash/],
    ['/sandboxes%5c..%5cteams', /backslash/],
    ['/sandboxes%255cteams', /backslash/],
    ['/sandboxes\n/x', /control/],
    ['/sandboxes%00', /control/],
    ['/sandboxes%250a', /control/],
    ['/sandboxes%c2%85', /control/],
    ['/sandboxes#x', /fragment/],
    ['/sandboxes%23x', /`query`/],
    ['/sandboxes%3fa=b', /`query`/],
    ['/sandboxes/%', /no valid encoding/],
    ['/sandboxes/%u0074eams', /no valid encoding/],
    ['/%c0%ae%c0%ae/teams', /no valid encoding/],
    ['/sandboxes/%e0%80%af', /no valid encoding/],
    ['/sandboxes/a b', /character " "/],
    ['/ｔｅａｍｓ', /character/],
    ['/%EF%BD%94eams', /character/],
    ['/sandboxes/\u2025/x', /character/],
    ['/tea\u200bms', /character/],
    ['/ſecrets', /character/],
    ['/sandboxes/{sandboxID}', /in place of \{sandboxID\}/],
    ['/sandboxes/%7BsandboxID%7D', /in place of/],
    ['/sandboxes/undefined', /no value/],
    [`/${'a'.repeat(3000)}`, /longer/],
    [`/sandboxes/%${'25'.repeat(30)}2e`, /over and over/],
  ])('%j', (path, message) => {
    const error = refusal(get(path), 'write', unlisted);
    expect(error.code).toBe('path_invalid');
    expect(error.message).toMatch(message);
  });
});

describe('forbidden segments are refused in every spelling', () => {
  test.each([
    '/teams',
    '/teams/',
    '/TEAMS',
    '/teams?x=1',
    '/teams;jsessionid=1',
    '/teams;/x',
    '/sandboxes/../teams',
    '/sandboxes/..;/teams',
    '/sandboxes/..;x=%2f/admin/nodes',
    '/sandboxes/%2e%2e/teams',
    '/sandboxes/%252e%252e%252fteams',
    '/sandboxes/.%2e/./teams',
    '/sandboxes//teams',
    '/sandboxes%2fteams',
    '/%74eams',
    '/%2574eams',
    '/%25%37%34eams',
    '/te%61ms/abc/metrics',
    '/./teams',
    '/../../teams',
    '/v2/%2e%2e//%61pi-keys',
    '/access-tokens/1',
    '/admin/teams/x/sandboxes/kill',
    '/nodes/1',
    '/Secrets/x',
    '/sandboxes/teams',
    '/teams/../sandboxes',
    '/templates/aliases/admin',
  ])('%s', path => {
    for (const operations of [listed, unlisted])
      expect(refusal(get(path), 'write', operations).code).toBe('path_refused');
  });

  const refused = fc.constantFrom('api-keys', 'access-tokens', 'teams', 'admin', 'nodes', 'secrets');
  const encodeOnce = (char: string) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  /** Spells a character: in either case, plain or percent-encoded up to three times. */
  const spelled = (char: string) =>
    fc.tuple(fc.boolean(), fc.nat(3)).map(([upper, depth]) => {
      const cased = upper ? char.toUpperCase() : char;
      let text = depth === 0 ? cased : encodeOnce(cased);
      for (let i = 1; i < depth; i++) text = text.replaceAll('%', '%25');
      return text;
    });
  const spelledWord = (word: string) => fc.tuple(...[...word].map(spelled)).map(parts => parts.join(''));
  const slash = fc.constantFrom(
    '/',
    '//',
    '%2f',
    '%2F',
    '%252F',
    '/./',
    '/%2e/',
    ';a=b/',
    '/x/../',
    '/x/%2e%2e%2f',
    '/..;/',
  );
  const plain = fc.constantFrom('sandboxes', 'v2', 'templates', 'abc', '..', '%2e%2e', '.');

  test('also in random spellings', () => {
    const path = fc
      .tuple(
        fc.array(fc.tuple(plain, slash), { maxLength: 4 }),
        refused.chain(spelledWord),
        fc.array(fc.tuple(slash, plain), { maxLength: 3 }),
      )
      .map(([before, word, after]) => `/${before.flat().join('')}${word}${after.flat().join('')}`);
    fc.assert(
      fc.property(path, fc.constantFrom('GET', 'POST', 'DELETE'), (written, method) => {
        expect(['path_refused', 'path_invalid']).toContain(refusal({ method, path: written }, 'write', unlisted).code);
      }),
      { numRuns: fuzzRounds(500) },
    );
  });

  test('and every accepted path stays below the base path without a forbidden segment', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '/',
        '..',
        '.',
        '%2e',
        '%2f',
        '%252e',
        ';',
        '?',
        '#',
        '@',
        ':',
        '\\',
        '%5c',
        '%00',
        '&',
        '=',
        '+',
        '//',
      ),
      fc.constantFrom('sandboxes', 'teams', 'v2', 'metrics', 'secrets', 'evil.example', 'https:', '%74eams', 'abc123'),
      fc.string({ maxLength: 3 }),
    );
    let accepted = 0;
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 8 }),
        fc.dictionary(fc.string(), fc.string(), { maxKeys: 2 }),
        (pieces, query) => {
          let request: GuardedRequest;
          try {
            request = guardRequest({ path: `/${pieces.join('')}`, query }, 'write', unlisted);
          } catch (caught) {
            expect(caught).toBeInstanceOf(GatewayError);
            return;
          }
          accepted++;
          const written = `/base${targetOf(request)}`;
          const url = new URL(`https://api.example.test${written}`);
          expect(url.origin).toBe('https://api.example.test');
          expect(url.pathname + url.search).toBe(written.replace(/\?$/, ''));
          expect(url.pathname.startsWith('/base/')).toBe(true);
          expect(url.hash).toBe('');
          const segments = decodeURIComponent(url.pathname).toLowerCase().split('/');
          for (const word of ['api-keys', 'access-tokens', 'teams', 'admin', 'nodes', 'secrets', '..', '.']) {
            expect(segments).not.toContain(word);
          }
          expect(url.pathname).not.toMatch(/%25|%2f|%5c|;|\\/i);
        },
      ),
      { numRuns: fuzzRounds(500) },
    );
    expect(accepted).toBeGreaterThan(100);
  });
});

describe('operations', () => {
  test('with the most literal segments are preferred', () => {
    expect(guardRequest(get('/sandboxes/metrics', { sandbox_ids: 'a' }), 'read', listed).operation?.id).toBe(
      'GET /sandboxes/metrics',
    );
    expect(guardRequest(get('/sandboxes/i123'), 'read', listed).operation?.id).toBe('GET /sandboxes/{sandboxID}');
  });

  test('get the resolved path, encoded again', () => {
    expect(target(guardRequest(get('/v2/../sandboxes//%69abc;v=1/'), 'read', listed))).toBe('/sandboxes/iabc');
    expect(target(guardRequest(get('/templates/aliases/web:v1'), 'read', listed))).toBe('/templates/aliases/web%3Av1');
  });

  test('that are nearest are named for an unknown path', () => {
    const error = refusal(get('/v1/sandboxs'));
    expect(error.code).toBe('path_unlisted');
    expect(error.message).toMatch(/Nearest: GET \/(v2\/)?sandboxes;/);
  });

  test('with other methods are named for a known path', () => {
    expect(refusal(get('/sandboxes/i1/pause')).message).toMatch(/takes POST/);
  });

  test('that are unlisted are allowed with allowUnlisted, under the other rules', () => {
    const request = guardRequest({ method: 'POST', path: '/new/thing', body: { any: 1 } }, 'write', unlisted);
    expect(request).toMatchObject({ path: '/new/thing', operation: undefined, write: true, body: '{"any":1}' });
    expect(refusal({ method: 'POST', path: '/new/thing' }, 'read', unlisted).code).toBe('method_refused');
  });
});

describe('methods', () => {
  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'delete'])('%s is refused in read mode', method => {
    const error = refusal({ method, path: '/sandboxes/i1' }, 'read');
    expect(error).toMatchObject({ code: 'method_refused', message: expect.stringMatching(/execute_write/) });
  });
  test.each(['OPTIONS', 'TRACE', 'CONNECT', 'GET ', 'POST\r\nX: y', ''])('%j is never sent', method => {
    expect(refusal({ method, path: '/sandboxes' }).code).toBe('method_refused');
  });
  test('default to GET, in any letter case, and HEAD reads', () => {
    expect(guardRequest({ path: '/health' }, 'read', listed).label).toBe('GET /health');
    expect(guardRequest({ method: 'get', path: '/health' }, 'read', listed).method).toBe('GET');
    expect(guardRequest({ method: 'HEAD', path: '/health' }, 'read', listed)).toMatchObject({
      method: 'HEAD',
      write: false,
    });
  });
});
