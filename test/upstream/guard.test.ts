import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { targetOf } from '../../src/upstream/client.ts';
import { type GuardedRequest, guardRequest, isGuarded } from '../../src/upstream/guard.ts';
import { createOperations } from '../../src/upstream/operations.ts';
import { description } from '../support/description.ts';

const listed = createOperations(description);
const unlisted = createOperations(description, { allowUnlisted: true });

const refusal = (raw: unknown, mode: 'read' | 'write' = 'write', operations = listed): GatewayError => {
  try {
    guardRequest(raw, mode, operations);
  } catch (caught) {
    if (caught instanceof GatewayError) return caught;
    throw caught;
  }
  throw new Error(`was let through: ${JSON.stringify(raw)}`);
};
const get = (path: string, query?: object) => ({ method: 'GET', path, ...(query === undefined ? {} : { query }) });
const target = (request: GuardedRequest) => targetOf(request);

describe('paths that are no paths', () => {
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

describe('refused segments, however they are spelled', () => {
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
  /** A character in some spelling: either case, plain or percent-encoded up to three times. */
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

  test('random spellings never pass', () => {
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
      { numRuns: 2000 },
    );
  });

  test('whatever is let through goes to the configured origin, under the base path, to no refused segment', () => {
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
      { numRuns: 3000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });
});

describe('operations', () => {
  test('most literal segments win', () => {
    expect(guardRequest(get('/sandboxes/metrics', { sandbox_ids: 'a' }), 'read', listed).operation?.id).toBe(
      'GET /sandboxes/metrics',
    );
    expect(guardRequest(get('/sandboxes/i123'), 'read', listed).operation?.id).toBe('GET /sandboxes/{sandboxID}');
  });

  test('what is resolved is what is sent, encoded anew', () => {
    expect(target(guardRequest(get('/v2/../sandboxes//%69abc;v=1/'), 'read', listed))).toBe('/sandboxes/iabc');
    expect(target(guardRequest(get('/templates/aliases/web:v1'), 'read', listed))).toBe('/templates/aliases/web%3Av1');
  });

  test('a path without an operation names the nearest', () => {
    const error = refusal(get('/v1/sandboxs'));
    expect(error.code).toBe('path_unlisted');
    expect(error.message).toMatch(/Nearest: GET \/(v2\/)?sandboxes;/);
  });

  test('a path with other methods names them', () => {
    expect(refusal(get('/sandboxes/i1/pause')).message).toMatch(/takes POST/);
  });

  test('unlisted paths pass where the operator allows it, still guarded', () => {
    const request = guardRequest({ method: 'POST', path: '/new/thing', body: { any: 1 } }, 'write', unlisted);
    expect(request).toMatchObject({ path: '/new/thing', operation: undefined, write: true, body: '{"any":1}' });
    expect(refusal({ method: 'POST', path: '/new/thing' }, 'read', unlisted).code).toBe('method_refused');
  });
});

describe('methods', () => {
  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'delete'])('%s is no read', method => {
    const error = refusal({ method, path: '/sandboxes/i1' }, 'read');
    expect(error).toMatchObject({ code: 'method_refused', message: expect.stringMatching(/execute_write/) });
  });
  test.each(['OPTIONS', 'TRACE', 'CONNECT', 'GET ', 'POST\r\nX: y', ''])('%j is never sent', method => {
    expect(refusal({ method, path: '/sandboxes' }).code).toBe('method_refused');
  });
  test('GET is the default, case does not count, HEAD reads', () => {
    expect(guardRequest({ path: '/health' }, 'read', listed).label).toBe('GET /health');
    expect(guardRequest({ method: 'get', path: '/health' }, 'read', listed).method).toBe('GET');
    expect(guardRequest({ method: 'HEAD', path: '/health' }, 'read', listed)).toMatchObject({
      method: 'HEAD',
      write: false,
    });
  });
});

describe('query', () => {
  test('text, numbers, booleans, lists by name and by comma', () => {
    const query = { limit: 5, full: true, tag: ['a b', 'ü&'], state: ['running', 'paused'], nextToken: null };
    expect(guardRequest(get('/v2/sandboxes', query), 'read', listed).query).toBe(
      'limit=5&full=true&tag=a%20b&tag=%C3%BC%26&state=running,paused',
    );
  });
  test('a query in the path joins the other; the same name twice does not', () => {
    expect(guardRequest(get('/v2/sandboxes?limit=5', { full: false }), 'read', listed).query).toBe(
      'limit=5&full=false',
    );
    expect(refusal(get('/v2/sandboxes?limit=5', { limit: 6 })).message).toMatch(/Give it once/);
  });
  test.each([
    [{ limit: { a: 1 } }, /key=value/],
    [{ tag: [null] }, /string, number/],
    [{ limit: 'many' }, /query\.limit must be integer/],
    [{ limit: 500 }, /query\.limit must be <= 100/],
    [{ limit: [1, 2] }, /one value/],
    [{ state: 'asleep' }, /query\.state\[0\] must be one of "running", "paused"/],
    [{ next_token: 'x' }, /use "nextToken"/],
    [{ zzz: 1 }, /it takes state, tag, limit/],
    [{ nextToken: '\ud800' }, /surrogate/],
    [{ nextToken: 'x'.repeat(20_000) }, /longer/],
    [{ state: Array(6_000).fill('') }, /longer/],
    [{ state: Array(300_000).fill('') }, /longer/],
  ])('%.60j', (query, message) => {
    expect(refusal(get('/v2/sandboxes', query))).toMatchObject({
      code: 'request_invalid',
      message: expect.stringMatching(message),
    });
  });
  test('a missing parameter is named', () => {
    expect(refusal(get('/sandboxes/metrics')).message).toMatch(/query lacks "sandbox_ids"/);
  });
});

describe('body', () => {
  const create = (body: unknown, more: object = {}) => ({ method: 'POST', path: '/sandboxes', body, ...more });
  test('goes out as JSON', () => {
    const request = guardRequest(create({ templateID: 'base', timeout: 60, metadata: { any: 'x' } }), 'write', listed);
    expect(request).toMatchObject({
      contentType: 'application/json',
      body: '{"templateID":"base","timeout":60,"metadata":{"any":"x"}}',
    });
  });
  test('JSON text is taken for its value', () => {
    expect(guardRequest(create('{ "templateID": "base" }'), 'write', listed).body).toBe('{"templateID":"base"}');
  });
  test.each<[unknown, RegExp]>([
    [{ templateId: 'base' }, /body has no "templateId": use "templateID"(?!.*lacks)/],
    [{ templateID: 'base', timeout: '60' }, /body\.timeout must be integer/],
    [{ templateID: 'base', timeoutMs: 1 }, /use "timeout", in seconds \(60000 ms is 60\)/],
    [{ templateID: 'base', network: { allowout: [] } }, /body\.network has no "allowout": use "allowOut"/],
    [{ templateID: 'base', volumeMounts: [{ name: 'a', mount: '/x' }] }, /volumeMounts\[0\] lacks "path"/],
    [{ templateID: 'base', volumeMounts: [{ Path: '/x' }] }, /use "path"; body\.volumeMounts\[0\] lacks "name"\./],
    [{ templateID: 'base', metadata: { n: 1 } }, /body\.metadata\.n must be string/],
    [undefined, /a body is required, with: templateID, timeout/],
    ['base', /not JSON/],
  ])('%j', (body, message) => {
    const error = refusal(create(body));
    expect(error).toMatchObject({ code: 'request_invalid', message: expect.stringMatching(message) });
    expect(error.message).toMatch(/describe\('POST \/sandboxes'\)|contentType/);
  });
  test('unchecked skips the schema and nothing else', () => {
    expect(guardRequest(create({ brandNew: 1 }, { unchecked: true }), 'write', listed).body).toBe('{"brandNew":1}');
    expect(refusal({ path: '/teams', unchecked: true }).code).toBe('path_refused');
    expect(refusal({ path: '/nothing', unchecked: true }).code).toBe('path_unlisted');
    expect(refusal(create({}, { unchecked: true }), 'read').code).toBe('method_refused');
    expect(refusal(create({}, { unchecked: true, headers: { host: 'x' } })).code).toBe('request_invalid');
  });
  test('other content types', () => {
    const note = { method: 'PUT', path: '/notes/1', contentType: 'text/plain', rawBody: 'hé' };
    expect(guardRequest(note, 'write', listed)).toMatchObject({ contentType: 'text/plain', body: 'hé' });
    expect(refusal({ ...note, contentType: 'text/html' }).message).toMatch(/must be text\/plain/);
    expect(refusal({ ...note, body: 'x' }).message).toMatch(/not both/);
    expect(refusal({ ...note, contentType: undefined }).message).toMatch(/needs a `contentType`/);
    expect(refusal({ ...note, contentType: 'text/plain\r\nx-api-key: y' }).message).toMatch(/content type is not one/);
  });
  test('where none belongs', () => {
    expect(refusal({ path: '/sandboxes', body: {} }).message).toMatch(/GET carries no body/);
    expect(refusal({ method: 'DELETE', path: '/sandboxes/i1', body: {} }).message).toMatch(/takes no body/);
    expect(guardRequest({ method: 'POST', path: '/sandboxes/i1/pause' }, 'write', listed).body).toBeUndefined();
  });
});

describe('the form of a request', () => {
  test.each<[unknown, RegExp]>([
    [null, /takes one object/],
    ['/sandboxes', /takes one object/],
    [['GET', '/sandboxes'], /takes one object/],
    [{ url: '/sandboxes' }, /use `path`|`path` must be a string/],
    [{ path: '/sandboxes', params: { limit: 1 } }, /use `query`/],
    [{ path: '/sandboxes', data: {} }, /use `body`/],
    [{ path: '/sandboxes', qurey: {} }, /use `query`/],
    [{ path: 7 }, /`path` must be a string/],
    [{ path: '/sandboxes', query: 'limit=1' }, /`query` must be an object/],
    [{ path: '/sandboxes', headers: { accept: 1 } }, /`headers`/],
  ])('%j', (raw, message) => {
    expect(refusal(raw)).toMatchObject({ code: 'request_invalid', message: expect.stringMatching(message) });
  });
  test.each([20, 100_000])('%i unknown fields are not listed one by one', count => {
    const fields = Object.fromEntries(Array.from({ length: count }, (_, i) => [`field${i}`, 1]));
    const { code, message } = refusal({ path: '/sandboxes', ...fields });
    expect(code).toBe('request_invalid');
    expect(message.length).toBeLessThan(1_000);
  });
  test.each([
    'authorization',
    'X-API-Key',
    'x-team-id',
    'X-Admin-Token',
    'Host',
    'cookie',
    'content-length',
    '__proto__',
  ])('the header %s is not sent', name => {
    const raw = JSON.parse(`{"path":"/sandboxes","headers":{${JSON.stringify(name)}:"x"}}`);
    if (name === '__proto__') expect(guardRequest(raw, 'read', listed).accept).toBeUndefined();
    else
      expect(refusal(raw)).toMatchObject({
        code: 'request_invalid',
        message: expect.stringMatching(/only content-type and accept/),
      });
  });
  test('only the guard makes guarded requests, and they stay as they are', () => {
    const request = guardRequest({ path: '/health' }, 'read', listed);
    expect(isGuarded(request)).toBe(true);
    expect(isGuarded({ ...request })).toBe(false);
    expect(Object.isFrozen(request)).toBe(true);
  });
  test('anything at all is answered with a GatewayError or a request', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (method, anything) => {
        for (const raw of [
          anything,
          { method, path: '/sandboxes' },
          { path: anything },
          { path: '/sandboxes', query: anything },
        ]) {
          try {
            guardRequest(raw, 'write', listed);
          } catch (caught) {
            expect(caught).toBeInstanceOf(GatewayError);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
