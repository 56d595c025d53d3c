// A small description like E2B's for tests of the guard and the broker, with one operation of each kind.
import type { Answer, Body, Description, Method, Operation, Parameter, Schema } from '../../src/spec/description.ts';

type Parts = { parameters?: Parameter[]; body?: Body; answers?: Record<string, Answer> };

const operation = (method: Method, path: `/${string}`, parts: Parts = {}): Operation => {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(
    ([, name]): Parameter => ({ name: name ?? '', in: 'path', required: true, schema: { type: 'string' } }),
  );
  return {
    id: `${method} ${path}`,
    method,
    path,
    summary: '',
    keywords: [],
    deprecated: false,
    parameters: [...inPath, ...(parts.parameters ?? [])],
    ...(parts.body === undefined ? {} : { body: parts.body }),
    answers: parts.answers ?? { 200: {} },
  };
};

const query = (name: string, schema: Schema, more: Partial<Parameter> = {}): Parameter => ({
  name,
  in: 'query',
  required: false,
  schema,
  ...more,
});

const json = (schema: Schema, required = true): Body => ({ required, contentType: 'application/json', schema });
const answer = (schema: Schema): Record<string, Answer> => ({ 200: { schema } });

const states = { type: 'array', items: { type: 'string', enum: ['running', 'paused'] } };
const newSandbox: Schema = {
  allOf: [
    {
      type: 'object',
      required: ['templateID'],
      properties: {
        templateID: { type: 'string' },
        timeout: { type: 'integer', minimum: 0 },
        metadata: { type: 'object', additionalProperties: { type: 'string' } },
        network: {
          type: ['object', 'null'],
          properties: {
            allowOut: { type: 'array', items: { type: 'string' } },
            rules: { type: 'object', additionalProperties: {} },
          },
        },
        volumeMounts: {
          type: 'array',
          items: {
            type: 'object',
            required: ['name', 'path'],
            properties: { name: { type: 'string' }, path: { type: 'string' } },
          },
        },
      },
    },
    { type: 'object', properties: { allow_internet_access: { type: 'boolean' } } },
  ],
};

export const description: Description = {
  title: 'Test API',
  version: '1',
  capabilities: [],
  synonyms: {},
  operations: [
    operation('GET', '/health'),
    operation('GET', '/sandboxes', { parameters: [query('metadata', { type: 'string' })] }),
    operation('POST', '/sandboxes', { body: json(newSandbox) }),
    operation('GET', '/v2/sandboxes', {
      parameters: [
        query('state', states, { explode: false }),
        query('tag', { type: 'array', items: { type: 'string' } }),
        query('limit', { type: 'integer', minimum: 1, maximum: 100 }),
        query('nextToken', { type: 'string' }),
        query('full', { type: 'boolean' }),
      ],
    }),
    operation('GET', '/sandboxes/metrics', {
      parameters: [
        query('sandbox_ids', { type: 'array', items: { type: 'string' } }, { required: true, explode: false }),
      ],
    }),
    operation('GET', '/sandboxes/{sandboxID}', {
      answers: answer({
        allOf: [
          {
            type: 'object',
            properties: { sandboxID: { type: 'string' }, sessionCode: { type: 'string', 'x-secret': true } },
          },
          {
            type: 'object',
            properties: {
              mounts: { type: 'array', items: { properties: { key: { type: 'string', 'x-secret': true } } } },
            },
          },
        ],
      }),
    }),
    operation('DELETE', '/sandboxes/{sandboxID}'),
    operation('POST', '/sandboxes/{sandboxID}/pause', { body: json({ type: 'object', properties: {} }, false) }),
    operation('POST', '/sandboxes/{sandboxID}/timeout', {
      body: json({ type: 'object', required: ['timeout'], properties: { timeout: { type: 'integer' } } }),
    }),
    operation('GET', '/templates/{templateID}/files/{hash}', {
      answers: answer({
        type: 'object',
        properties: { present: { type: 'boolean' }, url: { type: 'string', 'x-secret': true } },
      }),
    }),
    operation('GET', '/templates/aliases/{alias}'),
    operation('PATCH', '/v2/templates/{templateID}', {
      body: json({ type: 'object', properties: { public: { type: 'boolean' } } }),
    }),
    operation('PUT', '/notes/{noteID}', {
      body: { required: true, contentType: 'text/plain', schema: { type: 'string' } },
    }),
  ],
};
