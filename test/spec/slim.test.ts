import { describe, expect, it } from 'vitest';
import { slim } from '../../src/spec/slim.ts';

const schemes = {
  ApiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
  Admin: { type: 'apiKey', in: 'header', name: 'X-Admin-Token' },
  Bearer: { type: 'http', scheme: 'bearer' },
};
const document = (paths: object, schemas: object = {}) => ({
  openapi: '3.0.0',
  info: { title: 'Things', version: '7' },
  components: { securitySchemes: schemes, schemas },
  paths,
});
const ok = { responses: { 200: { description: 'ok' } } };
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
/** The schema of the only response of the only operation. */
const answered = (schema: object, schemas: object = {}) =>
  slim(
    document(
      { '/a': { get: { responses: { 200: { description: '', content: { 'application/json': { schema } } } } } } },
      schemas,
    ),
  ).operations[0]?.answers['200']?.schema;

describe('operations that are kept', () => {
  const ids = (paths: object) => slim(document({ '/kept': { get: ok }, ...paths })).operations.map(({ id }) => id);

  it('are those that an API key, or anybody, may call', () => {
    const secured = (...security: object[]) => ({ get: { ...ok, security } });
    expect(
      ids({
        '/key': secured({ ApiKey: [] }),
        '/either': secured({ Bearer: [] }, { ApiKey: [] }),
        '/open': secured(),
        '/anonymous': secured({}),
        '/bearer': secured({ Bearer: [] }),
        '/admin-token': secured({ Admin: [] }),
        '/both-needed': secured({ ApiKey: [], Bearer: [] }),
      }),
    ).toEqual(['GET /anonymous', 'GET /either', 'GET /kept', 'GET /key', 'GET /open']);
  });

  it('include none with a forbidden segment, in any letter case', () => {
    const paths = ['/teams', '/v2/Teams/{id}', '/admin/x', '/a/api-keys', '/access-tokens/{id}', '/nodes', '/secrets'];
    expect(ids(Object.fromEntries(paths.map(path => [path, { get: ok }])))).toEqual(['GET /kept']);
  });

  it('include none with an invalid path or method', () => {
    const paths = [
      'things',
      '//a',
      '/a/../b',
      '/a/./b',
      '/a b',
      '/a%2fb',
      '/a?x=1',
      '/{a}{b}',
      '/a/',
      `/${'x'.repeat(400)}`,
    ];
    expect(
      ids({
        ...Object.fromEntries(paths.map(path => [path, { get: ok }])),
        '/b': { trace: ok, options: ok, summary: 'no method' },
      }),
    ).toEqual(['GET /kept']);
  });
});

describe('an operation keeps', () => {
  it("the parameters of path and operation, the operation's first, and undeclared names in the path", () => {
    const [operation] = slim(
      document({
        '/a/{id}/{other}': {
          parameters: [
            { name: 'id', in: 'path', required: true, schema: { type: 'integer' } },
            { name: 'limit', in: 'query', schema: { type: 'integer', maximum: 5 } },
            { name: 'session', in: 'cookie', schema: { type: 'string' } },
          ],
          get: {
            ...ok,
            parameters: [
              {
                name: 'limit',
                in: 'query',
                explode: false,
                schema: { type: 'array', items: { type: 'string', description: 'x' } },
              },
            ],
          },
        },
      }),
    ).operations;
    expect(operation?.parameters).toEqual([
      { name: 'id', in: 'path', required: true, schema: { type: 'integer' } },
      {
        name: 'limit',
        in: 'query',
        required: false,
        explode: false,
        schema: { type: 'array', items: { type: 'string', description: 'x' } },
      },
      { name: 'other', in: 'path', required: true, schema: { type: 'string' } },
    ]);
  });

  it('only 2xx responses, with header names in lower case', () => {
    const responses = {
      201: { description: 'made', headers: { 'X-Next': { description: 'more' } } },
      400: { description: 'no' },
      default: { description: 'no' },
    };
    expect(slim(document({ '/a': { post: { responses } } })).operations[0]?.answers).toEqual({
      201: { description: 'made', headers: { 'x-next': 'more' } },
    });
  });

  it('JSON if a body has several types', () => {
    const requestBody = {
      required: true,
      content: { 'text/plain': {}, 'application/json': { schema: { type: 'object' } } },
    };
    expect(slim(document({ '/a': { post: { ...ok, requestBody } } })).operations[0]?.body).toEqual({
      required: true,
      contentType: 'application/json',
      schema: { type: 'object' },
    });
  });
});

describe('schemas', () => {
  it('that are shared are copied to every place, and cycles are cut', () => {
    const schemas = {
      Leaf: { type: 'string' },
      Tree: { type: 'object', properties: { leaf: ref('Leaf'), twin: ref('Leaf'), child: ref('Tree') } },
    };
    expect(answered(ref('Tree'), schemas)).toEqual({
      type: 'object',
      properties: { leaf: { type: 'string' }, twin: { type: 'string' }, child: {} },
    });
  });

  it('with dangling, external or circular references allow any value', () => {
    const schemas = { A: ref('B'), B: ref('A') };
    for (const $ref of [
      '#/components/schemas/None',
      'https://elsewhere.example/x.json#/a',
      'file:///etc/passwd',
      '#/components/schemas/A',
      '#/__proto__/x',
    ]) {
      expect(answered({ $ref }, schemas)).toEqual({});
    }
  });

  it('with nullable become a union with null', () => {
    expect(answered({ type: 'string', nullable: true })).toEqual({ type: ['string', 'null'] });
    expect(answered({ type: 'string', enum: ['a'], nullable: true })).toEqual({
      type: ['string', 'null'],
      enum: ['a', null],
    });
    expect(answered({ allOf: [{ type: 'object', properties: { a: {} } }], nullable: true })).toEqual({
      type: ['object', 'null'],
      properties: { a: {} },
    });
    expect(answered({ oneOf: [{ type: 'string' }, { type: 'number' }], nullable: true })).toEqual({
      anyOf: [{ oneOf: [{ type: 'string' }, { type: 'number' }] }, { type: 'null' }],
    });
  });

  it('lose what validators do not understand, and keep what ours use', () => {
    expect(
      answered({
        type: 'wrong',
        minimum: 'x',
        required: [1],
        enum: [],
        example: 1,
        'x-go-name': 'A',
        'x-secret': true,
        properties: { a: { required: 7 } },
      }),
    ).toEqual({
      type: 'object',
      'x-secret': true,
      properties: { a: {} },
    });
    expect(answered({ type: 'number', minimum: 1, exclusiveMinimum: true })).toEqual({
      type: 'number',
      minimum: 1,
      exclusiveMinimum: 1,
    });
  });

  it('keep only patterns that take linear time', () => {
    expect(answered({ type: 'string', pattern: '^[a-z]+$' })).toHaveProperty('pattern');
    for (const pattern of ['^(a+)+$', 'a*b', '^a*a*$', '^a?a?a?aaa', '^[', `^${'a'.repeat(200)}`]) {
      expect(answered({ type: 'string', pattern }), pattern).not.toHaveProperty('pattern');
    }
  });
});

describe('our own description over a published one', () => {
  const ours = slim({
    ...document({
      '/a': {
        post: {
          summary: 'Ours',
          'x-effect': 'ends',
          'x-resource': 'thing',
          'x-keywords': ['word'],
          requestBody: {
            content: {
              'application/json': {
                schema: {
                  type: 'object',
                  properties: { old: { type: 'string', description: 'Our words.' }, silent: { type: 'string' } },
                },
              },
            },
          },
          responses: {
            200: {
              description: 'ok',
              content: {
                'application/json': {
                  schema: { type: 'object', properties: { token: { type: 'string', 'x-secret': true } } },
                },
              },
            },
          },
        },
      },
    }),
    'x-synonyms': { thing: ['stuff'] },
  });
  const theirs = document({
    '/a': {
      post: {
        summary: 'Theirs',
        'x-effect': 'none',
        description: 'Their prose.',
        requestBody: {
          content: {
            'application/json': {
              schema: {
                type: 'object',
                properties: {
                  old: { type: 'integer', description: 'Theirs.' },
                  silent: { type: 'string', description: 'Theirs.' },
                  fresh: { type: 'string', description: 'Theirs.' },
                },
              },
            },
          },
        },
        responses: {
          200: {
            description: 'fine',
            content: { 'application/json': { schema: { type: 'object', properties: { token: { type: 'string' } } } } },
          },
        },
      },
    },
    '/new': { get: { ...ok, summary: 'New', 'x-effect': 'ends' } },
  });

  it('replaces texts, keeps facts, adds secret marks, and does not change new operations', () => {
    const laid = slim(theirs, {
      ...ours,
      capabilities: [
        { id: 'Sandbox.a', signature: 'a', summary: 'a', keywords: [], mode: 'read', effect: 'none', resource: 'a' },
      ],
    });
    const [known, fresh] = laid.operations;
    expect(known).toMatchObject({ summary: 'Ours', keywords: ['word'], effect: 'ends', resource: 'thing' });
    expect(known).not.toHaveProperty('description');
    expect(known?.body?.schema.properties).toEqual({
      old: { type: 'integer', description: 'Our words.' },
      silent: { type: 'string' },
      fresh: { type: 'string', description: 'Theirs.' },
    });
    expect(known?.answers['200']?.schema?.properties).toEqual({ token: { type: 'string', 'x-secret': true } });
    expect(fresh).toMatchObject({ id: 'GET /new', summary: 'New' });
    expect(fresh, 'only our own description may state an effect').not.toHaveProperty('effect');
    expect(laid.capabilities).toHaveLength(1);
    expect(laid.synonyms).toEqual({ thing: ['stuff'] });
  });
});
