// How the guard handles the query, the body and the form of a request.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { guardRequest, isGuarded } from '../../src/upstream/guard.ts';
import { fuzzRounds } from '../support/fuzz.ts';
import { get, listed, refusal } from '../support/guard.ts';

describe('query', () => {
  test('may contain text, numbers, booleans, and lists by name or by comma', () => {
    const query = { limit: 5, full: true, tag: ['a b', 'ü&'], state: ['running', 'paused'], nextToken: null };
    expect(guardRequest(get('/v2/sandboxes', query), 'read', listed).query).toBe(
      'limit=5&full=true&tag=a%20b&tag=%C3%BC%26&state=running,paused',
    );
  });
  test('in the path is added to the other, but a name may occur in only one', () => {
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
  test('without a required parameter is refused with its name', () => {
    expect(refusal(get('/sandboxes/metrics')).message).toMatch(/query lacks "sandbox_ids"/);
  });
});

describe('body', () => {
  const create = (body: unknown, more: object = {}) => ({ method: 'POST', path: '/sandboxes', body, ...more });
  test('is sent as JSON', () => {
    const request = guardRequest(create({ templateID: 'base', timeout: 60, metadata: { any: 'x' } }), 'write', listed);
    expect(request).toMatchObject({
      contentType: 'application/json',
      body: '{"templateID":"base","timeout":60,"metadata":{"any":"x"}}',
    });
  });
  test('as JSON text counts as the value in it', () => {
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
  test('with unchecked skips only the schema', () => {
    expect(guardRequest(create({ brandNew: 1 }, { unchecked: true }), 'write', listed).body).toBe('{"brandNew":1}');
    expect(refusal({ path: '/teams', unchecked: true }).code).toBe('path_refused');
    expect(refusal({ path: '/nothing', unchecked: true }).code).toBe('path_unlisted');
    expect(refusal(create({}, { unchecked: true }), 'read').code).toBe('method_refused');
    expect(refusal(create({}, { unchecked: true, headers: { host: 'x' } })).code).toBe('request_invalid');
  });
  test('may have other content types', () => {
    const note = { method: 'PUT', path: '/notes/1', contentType: 'text/plain', rawBody: 'hé' };
    expect(guardRequest(note, 'write', listed)).toMatchObject({ contentType: 'text/plain', body: 'hé' });
    expect(refusal({ ...note, contentType: 'text/html' }).message).toMatch(/must be text\/plain/);
    expect(refusal({ ...note, body: 'x' }).message).toMatch(/not both/);
    expect(refusal({ ...note, contentType: undefined }).message).toMatch(/needs a `contentType`/);
    expect(refusal({ ...note, contentType: 'text/plain\r\nx-api-key: y' }).message).toMatch(/content type is not one/);
  });
  test('is refused if the operation takes none', () => {
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
  test.each([20, 100_000])('with %i unknown fields causes a short error', count => {
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
  ])('may not contain the header %s', name => {
    const raw = JSON.parse(`{"path":"/sandboxes","headers":{${JSON.stringify(name)}:"x"}}`);
    if (name === '__proto__') expect(guardRequest(raw, 'read', listed).accept).toBeUndefined();
    else
      expect(refusal(raw)).toMatchObject({
        code: 'request_invalid',
        message: expect.stringMatching(/only content-type and accept/),
      });
  });
  test('is frozen after the guard, and a copy does not count as guarded', () => {
    const request = guardRequest({ path: '/health' }, 'read', listed);
    expect(isGuarded(request)).toBe(true);
    expect(isGuarded({ ...request })).toBe(false);
    expect(Object.isFrozen(request)).toBe(true);
  });
  test('may be any value without causing an error but a GatewayError', () => {
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
      { numRuns: fuzzRounds(150) },
    );
  });
});
