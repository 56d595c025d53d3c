// Any published description becomes a Description within its limits or a GatewayError, in a short time.
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { parseDocument } from '../../src/spec/document.ts';
import { createSearch } from '../../src/spec/search.ts';
import { slim } from '../../src/spec/slim.ts';
import { FUZZ_TIMEOUT_MS, fuzzRounds } from '../support/fuzz.ts';

const paths = (schema: unknown) => ({
  '/a': { get: { responses: { 200: { content: { 'application/json': { schema } } } } } },
});
const document = (schema: unknown, schemas: unknown = {}) => ({
  openapi: '3.1.0',
  components: { schemas },
  paths: paths(schema),
});
const at = (name: string) => ({ $ref: `#/components/schemas/${name}` });

/** Runs the work; anything it throws must be a GatewayError. */
function outcome(work: () => unknown): unknown {
  try {
    return work();
  } catch (caught) {
    if (caught instanceof GatewayError) return caught.code;
    throw caught;
  }
}

describe('a malicious document is limited or refused', () => {
  const doubling = Object.fromEntries(
    Array.from({ length: 60 }, (_, n) => [`S${n}`, { properties: { a: at(`S${n + 1}`), b: at(`S${n + 1}`) } }]),
  );
  const chain = Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`S${n}`, { items: at(`S${n + 1}`) }]));
  const nested = (depth: number) => JSON.parse(`${'{"items":'.repeat(depth)}{}${'}'.repeat(depth)}`);

  it.each([
    ['a schema that doubles sixty times', document(at('S0'), doubling), 'spec_invalid'],
    ['a chain of 5,000 references', document(at('S0'), chain), undefined],
    ['100,000 levels', document(nested(100_000)), undefined],
    [
      '200,000 properties',
      document({ properties: Object.fromEntries(Array.from({ length: 200_000 }, (_, n) => [`p${n}`, {}])) }),
      'spec_invalid',
    ],
    [
      'long texts',
      document({ description: 'x'.repeat(5_000_000), properties: { a: { description: '\u202e\u0000 a\n b' } } }),
      undefined,
    ],
    [
      'property names of Object.prototype',
      document(JSON.parse('{"properties":{"__proto__":{"type":"string"},"constructor":{"type":"string"}}}')),
      undefined,
    ],
    [
      'many paths that share many parameters',
      {
        openapi: '3.1.0',
        components: {
          pathItems: { P: { parameters: Array.from({ length: 50_000 }, () => ({ in: 'query' })), get: {} } },
        },
        paths: Object.fromEntries(
          Array.from({ length: 5_000 }, (_, n) => [`/p${n}`, { $ref: '#/components/pathItems/P' }]),
        ),
      },
      'spec_invalid',
    ],
    [
      '5,000 operations',
      { openapi: '3.1.0', paths: Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`/p${n}`, { get: {} }])) },
      'spec_invalid',
    ],
  ])('%s', (_, hostile, code) => {
    const result = outcome(() => slim(hostile));
    if (code === undefined) {
      expect(result).toMatchObject({ operations: [{ id: 'GET /a' }] });
      expect(JSON.stringify(result).length).toBeLessThan(500_000);
    } else expect(result).toBe(code);
    expect(({} as Record<string, unknown>).type).toBeUndefined();
  });

  it('as YAML bomb or broken text', () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'.replace(/./g, (name, n: number) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[n]}`).join(',')}]\n`)}`;
    for (const text of [
      bomb,
      `${'['.repeat(50_000)}`,
      `${'a: {'.repeat(20_000)}`,
      '\u0000',
      '{"a":',
      '%YAML 9\n---\n',
      '! !',
      '',
    ]) {
      expect(['spec_invalid', null, undefined]).toContain(outcome(() => slim(parseDocument(text))));
    }
  });
});

/** Documents that are almost valid: known keywords in any arrangement. */
const names = fc.constantFrom('A', 'B', 'C', '__proto__', 'constructor', 'toString', 'a/b', 'a~b');
const refs = fc.constantFrom(
  at('A'),
  at('B'),
  at('C'),
  { $ref: '#' },
  { $ref: '#/' },
  { $ref: '#/paths' },
  { $ref: 'http://x/y' },
  { $ref: '' },
);
const scalar = fc.oneof(fc.string(), fc.integer(), fc.double(), fc.boolean(), fc.constant(null));
const { schema } = fc.letrec<{ schema: unknown }>(tie => ({
  schema: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    refs,
    scalar,
    fc.record(
      {
        type: fc.oneof(
          fc.constantFrom('string', 'object', 'array', 'null', 'nonsense'),
          fc.array(fc.constantFrom('string', 'integer', 'x')),
          scalar,
        ),
        nullable: fc.boolean(),
        properties: fc.oneof(fc.dictionary(names, tie('schema'), { maxKeys: 3 }), scalar),
        items: tie('schema'),
        additionalProperties: tie('schema'),
        oneOf: fc.oneof(fc.array(tie('schema'), { maxLength: 3 }), scalar),
        allOf: fc.oneof(fc.array(tie('schema'), { maxLength: 3 }), scalar),
        enum: fc.oneof(fc.array(scalar, { maxLength: 3 }), scalar),
        required: fc.oneof(fc.array(names), scalar),
        default: scalar,
        minimum: scalar,
        exclusiveMinimum: scalar,
        maxLength: scalar,
        pattern: scalar,
        uniqueItems: scalar,
        format: scalar,
        description: scalar,
      },
      { requiredKeys: [] },
    ),
  ),
}));

describe('random input causes no error but a GatewayError', { timeout: FUZZ_TIMEOUT_MS }, () => {
  const options = { strict: false, logger: false, validateFormats: false } as const;
  const validators = [new Ajv2020(options), new Ajv(options)];

  it('as JSON', () => {
    fc.assert(
      fc.property(fc.anything(), value => void outcome(() => slim(value))),
      { numRuns: fuzzRounds(100) },
    );
    fc.assert(
      fc.property(fc.jsonValue(), value => void outcome(() => slim({ openapi: '3.0.0', paths: value }))),
      { numRuns: fuzzRounds(100) },
    );
  });

  it('as text', () => {
    fc.assert(
      fc.property(fc.string(), text => void outcome(() => slim(parseDocument(text)))),
      { numRuns: fuzzRounds(100) },
    );
  });

  it('as schema: the result compiles, and can be searched and described', () => {
    fc.assert(
      fc.property(schema, fc.dictionary(names, schema), scalar, (root, schemas, text) => {
        const operation = {
          summary: text,
          'x-keywords': [text],
          parameters: [{ name: 'q', in: 'query', schema: root }],
          requestBody: { content: { 'application/json': { schema: root } } },
        };
        const hostile = { ...document(root, schemas), paths: { ...paths(root), '/b/{id}': { post: operation } } };
        const result = outcome(() => slim(hostile));
        if (typeof result !== 'object') return;
        const slimmed = result as ReturnType<typeof slim>;
        for (const { body, parameters, answers } of slimmed.operations) {
          for (const part of [
            body?.schema,
            ...parameters.map(p => p.schema),
            ...Object.values(answers).map(a => a.schema),
          ])
            if (part !== undefined) for (const ajv of validators) ajv.compile(part);
        }
        const search = createSearch(slimmed);
        expect(search.describe('POST /b/1')).toMatch(/^POST \/b\/\{id\} /);
        expect(search.describe('GET /a')).toMatch(/^GET \/a /);
        expect(search.find('a').length).toBeGreaterThan(0);
      }),
      { numRuns: fuzzRounds(40) },
    );
  });

  it('as query', () => {
    const search = createSearch(slim(document({ properties: { a: { type: 'string' } } })));
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 5_000 }), query => {
        if (query.trim() === '') return;
        expect(Array.isArray(search.find(query))).toBe(true);
        expect(typeof search.describe(query)).toBe('string');
      }),
      { numRuns: fuzzRounds(100) },
    );
    expect(search.find('sandbox '.repeat(100_000))).toEqual([]);
  });
});
