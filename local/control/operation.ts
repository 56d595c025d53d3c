// The operations of E2B's API as openapi/e2b.yaml describes them: where each is, its status, and the check of what comes
// in by its own schemas, which also fill in the defaults. The types of handlers are those of E2B's SDK.
import { fileURLToPath } from 'node:url';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { paths } from 'e2b';
import type { Response } from 'express';
import { PACKAGE_ROOT } from '../../src/ground/built.ts';
import { Lazy } from '../../src/ground/lazy.ts';
import { isSchema, type Operation, type Parameter, type Schema } from '../../src/spec/description.ts';
import { loadDescription } from '../../src/spec/load.ts';
import { objectOf } from '../../src/upstream/validate.ts';
import type { Team } from './team.ts';
import { ApiError } from './team.ts';

export type Call<Query = unknown, Body = unknown> = {
  readonly team: Team;
  /** Where the caller reaches local mode. */
  readonly origin: string;
  /** A path parameter, decoded. */
  param(name: string): string;
  readonly query: Query;
  readonly body: Body;
  /** For headers, and a status that is not the operation's first. */
  readonly res: Pick<Response, 'set' | 'status'>;
};

type Paths = keyof paths & string;
type Lower<P extends Paths> = { [M in keyof paths[P]]: [paths[P][M]] extends [{ responses: object }] ? M : never };
type MethodOf<P extends Paths> = Exclude<Lower<P>[keyof paths[P]], undefined> & string;
type OperationId = { [P in Paths]: `${Uppercase<MethodOf<P>>} ${P}` }[Paths];
type Described<Id> = Id extends `${infer M} ${infer P extends Paths}` ? paths[P][Lowercase<M> & keyof paths[P]] : never;
type QueryOf<T> = T extends { parameters: { query?: infer Query } } ? NonNullable<Query> : never;
type BodyOf<T> = T extends { requestBody?: { content: { 'application/json': infer Body } } } ? Body : never;

/** By operation id. What a handler returns, or a promise of it, is the answer's body. */
export type Handlers = {
  readonly [Id in OperationId]?: (call: Call<QueryOf<Described<Id>>, BodyOf<Described<Id>>>) => unknown;
};

/** Fixed paths first: `/sandboxes/metrics` is not a sandbox. */
export const operations = new Lazy(async () => {
  const description = await loadDescription(fileURLToPath(new URL('openapi/e2b.yaml', PACKAGE_ROOT)));
  const inOrder = description.operations.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return inOrder.map(operation => ({
    id: operation.id,
    method: operation.method.toLowerCase() as 'get' | 'post' | 'put' | 'patch' | 'delete',
    /** As Express writes it. */
    path: operation.path.replaceAll('{', ':').replaceAll('}', ''),
    /** Unless the handler says another. */
    status: Number(Object.keys(operation.answers)[0]),
    check: checkOf(operation),
  }));
});

export type DescribedOperation = Awaited<ReturnType<typeof operations.get>>[number];

const ajv = new Ajv({
  ...{ strict: false, validateSchema: false, logger: false, useDefaults: true, removeAdditional: true },
  formats: {
    'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/i,
    int32: { type: 'number', validate: value => value === (value | 0) },
    int64: { type: 'number', validate: Number.isSafeInteger },
    uri: URL.canParse,
  },
});

/** What comes in, checked and with its defaults. @throws ApiError 400 */
type Check = (query: Readonly<Record<string, unknown>>, body: unknown) => { query: unknown; body: unknown };

/** Its schemas are compiled when first needed. */
function checkOf({ parameters, body: described }: Operation): Check {
  const inQuery = parameters.filter(parameter => parameter.in === 'query');
  let fits: { query: ValidateFunction; body: ValidateFunction } | undefined;
  return (given, body = described?.required === false ? {} : undefined) => {
    fits ??= { query: ajv.compile(objectOf(inQuery)), body: ajv.compile(closed(described?.schema ?? {})) };
    const query = Object.fromEntries(inQuery.flatMap(parameter => queryValue(parameter, given[parameter.name])));
    if (!fits.query(query)) {
      const { place, sentence } = faultOf(fits.query.errors);
      throw new ApiError(
        400,
        `validation error: parameter "${place.split('/')[1]}" in query has an error: ${sentence}`,
      );
    }
    if (described !== undefined && body === undefined) throw new ApiError(400, `${BODY} value is required`);
    if (!fits.body(body)) {
      const { place, sentence } = faultOf(fits.body.errors);
      throw new ApiError(400, `${BODY} doesn't match schema: Error at "${place}": ${sentence}`);
    }
    return { query, body };
  };
}

/** E2B ignores fields that it does not know: they are taken out, at any depth. */
function closed(schema: Schema): Schema {
  const { properties, items, additionalProperties: rest = false } = schema;
  const inner = isSchema(properties) && Object.entries(properties).filter(([, each]) => isSchema(each));
  return {
    ...schema,
    ...(inner && {
      properties: Object.fromEntries(inner.map(([name, each]) => [name, closed(each as Schema)])),
      additionalProperties: rest,
    }),
    ...(isSchema(items) && { items: closed(items) }),
    ...(isSchema(rest) && { additionalProperties: closed(rest) }),
  };
}

const BODY = 'validation error: request body has an error:';

/** Text of a query as what its schema asks for. A repeated parameter and a comma list mean the same; empty means none. */
function queryValue({ name, schema }: Parameter, given: unknown): [string, unknown][] {
  const text = Array.isArray(given) ? given.join(',') : given;
  if (typeof text !== 'string') return [];
  const items = text.split(',').filter(item => item !== '');
  if (schema.type === 'array') return items.length === 0 ? [] : [[name, items]];
  if (schema.type === 'integer') return [[name, /^-?\d+$/.test(text) ? Number(text) : text]];
  return [[name, schema.type === 'boolean' && /^(?:true|false)$/.test(text) ? text === 'true' : text]];
}

/** In E2B's words, by the keyword that does not hold. */
const WORDS: Readonly<Record<string, (params: Record<string, unknown>) => string>> = {
  type: ({ type }) => `value must be ${/^[aio]/.test(String(type)) ? 'an' : 'a'} ${type}`,
  enum: ({ allowedValues }) => `value is not one of the allowed values ${JSON.stringify(allowedValues)}`,
  required: ({ missingProperty }) => `property "${missingProperty}" is missing`,
  format: ({ format }) => `value doesn't match the format "${format}"`,
  pattern: ({ pattern }) => `string doesn't match the regular expression "${pattern}"`,
  minimum: ({ limit }) => `number must be at least ${limit}`,
  maximum: ({ limit }) => `number must be at most ${limit}`,
  maxLength: ({ limit }) => `maximum string length is ${limit}`,
  minItems: ({ limit }) => `minimum number of items is ${limit}`,
  maxItems: ({ limit }) => `maximum number of items is ${limit}`,
  uniqueItems: () => 'duplicate items found',
};

const NO_FAULT: ErrorObject = { keyword: '', params: {}, instancePath: '', schemaPath: '' };

function faultOf(errors: ErrorObject[] | null | undefined): { place: string; sentence: string } {
  const [{ keyword, params, instancePath, message = 'invalid value' } = NO_FAULT] = errors ?? [];
  const missing = keyword === 'required' ? `/${params.missingProperty}` : '';
  return { place: instancePath + missing || '/', sentence: WORDS[keyword]?.(params) ?? message };
}
