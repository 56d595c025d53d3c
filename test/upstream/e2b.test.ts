// The guard with the description in the package: requests that models write, and the secrets of each operation.
import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { loadDescription } from '../../src/spec/load.ts';
import { shapeAnswer } from '../../src/upstream/answer.ts';
import { guardRequest } from '../../src/upstream/guard.ts';
import { Operations } from '../../src/upstream/operations.ts';
import { secretsOf } from '../../src/upstream/redact.ts';

const description = await loadDescription('openapi/e2b.yaml');
const operations = new Operations(description);

test.each(description.operations.map(operation => [operation.id, operation] as const))(
  '%s is matched and its schemas compile',
  (id, operation) => {
    const segments = operation.path
      .split('/')
      .slice(1)
      .map(part => part.replace(/^\{.*\}$/, 'x1'));
    expect(operations.match(operation.method, segments)?.operation.id).toBe(id);
    expect(
      Array.isArray(operations.checkOf(operation)({ pathParameters: {}, query: new Map(), body: undefined })),
    ).toBe(true);
  },
);

test('HEAD matches the operation of GET', () => {
  expect(operations.match('HEAD', ['v2', 'sandboxes'])?.operation.id).toBe('GET /v2/sandboxes');
});

describe('a request that models write', () => {
  test.each<[object, string]>([
    [
      { path: '/v2/sandboxes', query: { state: ['running', 'paused'], limit: 10 } },
      '/v2/sandboxes?state=running,paused&limit=10',
    ],
    [{ path: '/v2/sandboxes?limit=100', query: { metadata: 'user=a' } }, '/v2/sandboxes?limit=100&metadata=user%3Da'],
    [{ path: '/sandboxes/metrics', query: { sandbox_ids: ['i1', 'i2'] } }, '/sandboxes/metrics?sandbox_ids=i1,i2'],
    [{ path: '/sandboxes/iabc/metrics', query: { start: 1, end: 2 } }, '/sandboxes/iabc/metrics?start=1&end=2'],
    [
      { method: 'POST', path: '/v2/sandboxes', body: { templateID: 'base', timeout: 60, metadata: { a: 'b' } } },
      '/v2/sandboxes',
    ],
    [{ method: 'POST', path: '/sandboxes', body: { templateID: 'base' } }, '/sandboxes'],
    [{ method: 'POST', path: '/sandboxes/iabc/timeout', body: { timeout: 60 } }, '/sandboxes/iabc/timeout'],
    [{ method: 'POST', path: '/sandboxes/iabc/pause' }, '/sandboxes/iabc/pause'],
    [{ method: 'DELETE', path: '/sandboxes/iabc' }, '/sandboxes/iabc'],
    [{ path: '/templates/base' }, '/templates/base'],
    [{ path: '/volumes' }, '/volumes'],
  ])('%j', (raw, target) => {
    const request = guardRequest(raw, 'write', operations);
    expect(request.path + (request.query && `?${request.query}`)).toBe(target);
  });

  test.each<[object, RegExp]>([
    [{ method: 'POST', path: '/v2/sandboxes', body: { templateId: 'base' } }, /use "templateID"/],
    [{ method: 'POST', path: '/v2/sandboxes', body: {} }, /lacks "templateID"/],
    [{ method: 'POST', path: '/sandboxes/iabc/timeout', body: { timeout: 'long' } }, /body\.timeout must be/],
    [{ path: '/v2/sandboxes', query: { next_token: 'x' } }, /use "nextToken"/],
    [{ path: '/sandbox' }, /Nearest: GET \/sandboxes/],
  ])('%j is refused with what to write instead', (raw, message) => {
    let caught: unknown;
    try {
      guardRequest(raw, 'write', operations);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(GatewayError);
    expect((caught as Error).message).toMatch(message);
  });
});

test('all values that the description marks as secret are masked', () => {
  const hidden = description.operations.filter(operation =>
    JSON.stringify(operation.answers).includes('"x-secret":true'),
  );
  expect(hidden.map(({ id }) => id)).toEqual(
    expect.arrayContaining(['POST /v2/sandboxes', 'GET /sandboxes/{sandboxID}']),
  );
  for (const operation of hidden) {
    for (const { schema } of Object.values(operation.answers)) {
      const text = JSON.stringify(sample(schema, false));
      const { json } = shapeAnswer(text, { apiKey: 'e2b_0', secrets: secretsOf(operation) });
      expect(json, operation.id).not.toContain('x-secret-value');
    }
  }
});

/** Makes a value for every place of a schema. Secret ones, and all below them, have the same text. */
function sample(schema: unknown, secret: boolean): unknown {
  if (typeof schema !== 'object' || schema === null) return secret ? 'x-secret-value' : 'plain';
  const at = schema as Record<string, unknown>;
  const below = secret || at['x-secret'] === true;
  const parts = ['allOf', 'oneOf', 'anyOf']
    .flatMap(word => (at[word] as unknown[] | undefined) ?? [])
    .map(part => sample(part, below));
  if (at.items !== undefined) return [sample(at.items, below)];
  const properties = Object.entries((at.properties as object | undefined) ?? {}).map(([name, inner]) => [
    name,
    sample(inner, below),
  ]);
  const others = typeof at.additionalProperties === 'object' ? { any: sample(at.additionalProperties, below) } : {};
  const merged = Object.assign(
    {},
    ...parts.filter(part => typeof part === 'object'),
    Object.fromEntries(properties),
    others,
  );
  if (Object.keys(merged).length > 0) return merged;
  return parts[0] ?? (below ? 'x-secret-value' : 'plain');
}
