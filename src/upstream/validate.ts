// Rule 5 of the guard: checks a request against the schema of its operation and returns sentences that tell a model
// what to fix. Text from path and query is converted for the check only; it is sent as written.
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { Operation, Parameter, Schema } from '../spec/description.ts';
import { nearestName } from './nearest.ts';
import type { AskedBody, Query } from './shape.ts';

type CheckedParts = {
  readonly pathParameters: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: AskedBody | undefined;
};

/** Returns the problems, one sentence each; empty if the request fits. */
export type RequestCheck = (parts: CheckedParts) => readonly string[];

/**
 * Unknown keywords and formats in OpenAPI are documentation. Stopping at the first error limits the work. The schemas
 * of a reduced description are well-formed, so they are not validated themselves.
 */
const LENIENT = { strict: false, validateFormats: false, validateSchema: false, verbose: true, logger: false } as const;
const MAX_UNKNOWN_NAMES = 5;
const MAX_DEPTH = 20;
/** Number of list items in which names are checked. */
const MAX_ITEMS = 100;

/** Returns the checks of operations. Each is compiled when it is first used, and kept. */
export function createChecks(): (operation: Operation) => RequestCheck {
  const strict = new Ajv(LENIENT);
  const coercing = new Ajv({ ...LENIENT, coerceTypes: true });
  const compiled = new WeakMap<Operation, RequestCheck>();
  return operation => {
    const known = compiled.get(operation);
    if (known !== undefined) return known;
    const check = compile(operation, strict, coercing);
    compiled.set(operation, check);
    return check;
  };
}

function compile(operation: Operation, strict: Ajv, coercing: Ajv): RequestCheck {
  const inPath = operation.parameters.filter(parameter => parameter.in === 'path');
  const inQuery = operation.parameters.filter(parameter => parameter.in === 'query');
  const fitsPath = coercing.compile(objectOf(inPath));
  const fitsQuery = coercing.compile(objectOf(inQuery));
  const fitsBody = operation.body === undefined ? undefined : strict.compile(operation.body.schema);
  return ({ pathParameters, query, body }) => [
    ...fit(fitsPath, { ...pathParameters }, 'path'),
    ...checkQuery(operation, inQuery, fitsQuery, query),
    ...checkBody(operation, fitsBody, body, inQuery),
  ];
}

/** The parameters as properties of one object schema. */
export const objectOf = (parameters: readonly Parameter[]): Schema => ({
  type: 'object',
  properties: Object.fromEntries(parameters.map(({ name, schema }) => [name, schema])),
  required: parameters.filter(({ required }) => required).map(({ name }) => name),
});

function checkQuery(operation: Operation, known: readonly Parameter[], fits: ValidateFunction, query: Query): string[] {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  const names = known.map(({ name }) => name);
  const meant = new Set<string>();
  for (const [name, texts] of query) {
    if (problems.length >= MAX_UNKNOWN_NAMES) break;
    const parameter = known.find(candidate => candidate.name === name);
    if (parameter === undefined) {
      const inBody = bodyNames(operation).includes(name);
      problems.push(
        inBody ? `"${clip(name)}" belongs into \`body\`, not \`query\`` : unknown('query', name, names, meant),
      );
    } else if (hasType(parameter.schema, 'array')) {
      values[name] = parameter.explode === false ? texts.flatMap(text => text.split(',')) : [...texts];
    } else if (texts.length > 1) problems.push(`query.${name} takes one value, not a list`);
    else values[name] = texts[0];
  }
  return [...problems, ...fit(fits, values, 'query', meant)];
}

function checkBody(
  operation: Operation,
  fits: ValidateFunction | undefined,
  body: AskedBody | undefined,
  inQuery: readonly Parameter[],
): string[] {
  const described = operation.body;
  if (body === undefined) {
    const names = bodyNames(operation).join(', ');
    return described?.required === true ? [`a body is required${names === '' ? '' : `, with: ${names}`}`] : [];
  }
  if (described === undefined || fits === undefined) return ['this operation takes no body'];
  const type = body.contentType.split(';')[0]?.trim().toLowerCase();
  if (type !== described.contentType) return [`the content type must be ${described.contentType}`];
  if ('text' in body) return [];
  const elsewhere = new Set(inQuery.map(({ name }) => name));
  const problems: string[] = [];
  const meant = new Set<string>();
  findUnknown([described.schema], body.json.value, 'body', 0, (place, name, names) => {
    if (problems.length >= MAX_UNKNOWN_NAMES) return;
    const moved = place === 'body' && elsewhere.has(name);
    problems.push(moved ? `"${clip(name)}" belongs into \`query\`, not \`body\`` : unknown(place, name, names, meant));
  });
  return [...problems, ...fit(fits, body.json.value, 'body', meant)];
}

// --- Unknown names ------------------------------------------------------------------------------------------------

type Report = (place: string, name: string, known: readonly string[]) => void;

const asSchemas = (value: unknown): readonly Schema[] => (Array.isArray(value) ? (value as Schema[]) : []);
const alternatives = (schema: Schema): readonly Schema[] =>
  [schema, ...['allOf', 'oneOf', 'anyOf'].flatMap(word => asSchemas(schema[word]).flatMap(alternatives))].slice(0, 200);
const propertiesOf = (schema: Schema): Readonly<Record<string, Schema>> =>
  (schema.properties as Record<string, Schema> | undefined) ?? {};
const hasType = (schema: Schema, type: string) => [schema.type].flat().includes(type);

/**
 * OpenAPI allows any field that is not forbidden, but an API that lists its fields means only those. So a name is
 * unknown if some alternative lists fields, none lists this one, and none mentions additional properties.
 */
function findUnknown(schemas: readonly Schema[], value: unknown, place: string, depth: number, report: Report): void {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return;
  const all = schemas.flatMap(alternatives);
  if (Array.isArray(value)) {
    const items = all.flatMap(schema => (typeof schema.items === 'object' ? [schema.items as Schema] : []));
    if (items.length > 0)
      for (const [i, item] of value.slice(0, MAX_ITEMS).entries())
        findUnknown(items, item, `${place}[${i}]`, depth + 1, report);
    return;
  }
  const names = [...new Set(all.flatMap(schema => Object.keys(propertiesOf(schema))))];
  const rest = all.map(schema => schema.additionalProperties).filter(more => more !== undefined && more !== false);
  const closed = names.length > 0 && rest.length === 0;
  for (const [name, inner] of Object.entries(value)) {
    const listed = all.flatMap(schema =>
      Object.hasOwn(propertiesOf(schema), name) ? [propertiesOf(schema)[name] ?? {}] : [],
    );
    const described = listed.length > 0 ? listed : rest.filter((more): more is Schema => typeof more === 'object');
    if (listed.length === 0 && closed) report(place, name, names);
    else if (described.length > 0) findUnknown(described, inner, `${place}.${clip(name)}`, depth + 1, report);
  }
}

const bodyNames = (operation: Operation): readonly string[] =>
  operation.body === undefined
    ? []
    : [...new Set(alternatives(operation.body.schema).flatMap(s => Object.keys(propertiesOf(s))))];

/** `meant` collects the suggested names, so that they are not reported as missing as well. */
function unknown(place: string, name: string, known: readonly string[], meant: Set<string>): string {
  const nearest = nearestName(name, known);
  if (nearest !== undefined) {
    meant.add(`${place}.${nearest}`);
    return `${place} has no "${clip(name)}": use "${nearest}"${unitOf(name, nearest)}`;
  }
  const names = known.length === 0 ? 'it takes none' : `it takes ${known.join(', ')}`;
  return `${place} has no "${clip(name)}": ${names}`;
}

/** The SDK counts in milliseconds, the API in seconds: an unconverted timeout would be a thousand times longer. */
const unitOf = (name: string, nearest: string) =>
  nearest === 'timeout' && /ms$/i.test(name) ? ', in seconds (60000 ms is 60)' : '';

const clip = (name: string) => (name.length > 60 ? `${name.slice(0, 60)}…` : name);

// --- Values that do not fit ---------------------------------------------------------------------------------------

function fit(
  validate: ValidateFunction,
  value: unknown,
  place: string,
  meant: ReadonlySet<string> = new Set(),
): readonly string[] {
  if (validate(value)) return [];
  const errors = validate.errors ?? [];
  // With alternatives every branch has errors; the deepest error is in the branch that was probably meant.
  const depth = (error: ErrorObject) => error.instancePath.split('/').length;
  const deepest = Math.max(...errors.map(depth));
  const relevant = errors.filter(error => depth(error) === deepest && error.keyword !== 'if').slice(0, 3);
  return [...new Set(relevant.flatMap(error => explain(error, place, meant) ?? []))];
}

function explain(error: ErrorObject, place: string, meant: ReadonlySet<string>): string | undefined {
  const where = place + error.instancePath.replace(/\/(\d+)(?=\/|$)/g, '[$1]').replaceAll('/', '.');
  const allowed = (error.params as { allowedValues?: unknown[] }).allowedValues;
  if (error.keyword === 'required') {
    const missing = missingNames(error).filter(name => !meant.has(`${where}.${name}`));
    return missing.length === 0 ? undefined : `${where} lacks ${missing.map(name => `"${name}"`).join(', ')}`;
  }
  if (error.keyword === 'enum' && allowed !== undefined) {
    return `${where} must be one of ${allowed.map(value => JSON.stringify(value)).join(', ')}`;
  }
  return `${where} ${error.message ?? 'does not fit'}`;
}

function missingNames(error: ErrorObject): readonly string[] {
  const given = error.data as object;
  const required = (error.parentSchema as { required?: string[] } | undefined)?.required ?? [];
  return required.filter(name => !Object.hasOwn(given, name));
}
