// Masks secrets in answers before a guest sees them: by place (`x-secret: true` in the description) and by name. Pure.
// Knows nothing of requests or budgets.
import { isSchema, type Operation, type Schema } from '../spec/description.ts';
import { MASK } from './key-spellings.ts';

/** Fields whose value is a secret in any response. */
const SECRET_FIELDS = new Set([
  'envdAccessToken',
  'trafficAccessToken',
  'accessToken',
  'apiKey',
  'token',
  'password',
  'signatureSecret',
]);
/** Fields all of whose inner values are secret; their names stay. */
const SECRET_PARENTS = new Set(['fromImageRegistry', 'egressProxy', 'transform']);
/** In the query of a presigned URL, whatever field holds it. */
const SIGNED = /[?&][\w-]*(?:[sS]ignature|sig)=/;
/** A text without these holds no secret by name. One expression: a large answer is looked through once. */
const TRIGGER = new RegExp(`"(?:${[...SECRET_FIELDS, ...SECRET_PARENTS].join('|')})"|ignature=|sig=`);
/** Escapes other than those Go's encoder writes could spell a name another way. */
const UNUSUAL_ESCAPE = /\\u(?!00(?:26|3c|3e))/i;
const MAX_DEPTH = 100;
/** Schemas may be cyclic: references are resolved in place. */
const MAX_SCHEMA_DEPTH = 12;

/** False: nothing in this JSON text is a secret by its name, and none of it is written in a way that would hide one. */
export const mayHoldSecret = (text: string): boolean => TRIGGER.test(text) || hasUnusualEscapes(text);

/** Text in which a name may be written in other characters than its own. */
const hasUnusualEscapes = (text: string): boolean => UNUSUAL_ESCAPE.test(text);

export const maskSecrets = (value: unknown, place?: Place): unknown => mask(value, place, 0);

function mask(value: unknown, place: Place | undefined, depth: number): unknown {
  if (place?.secret === true) return value === null ? null : MASK;
  if (typeof value === 'string') return SIGNED.test(value) ? MASK : value;
  if (typeof value !== 'object' || value === null) return value;
  // The SDK makes dates of some fields.
  if (value instanceof Date) return value;
  if (depth > MAX_DEPTH) return MASK;
  if (Array.isArray(value)) return value.map(item => mask(item, place?.items, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      if (SECRET_FIELDS.has(name) && inner !== null) return [name, MASK];
      if (SECRET_PARENTS.has(name)) return [name, maskLeaves(inner, depth + 1)];
      return [name, mask(inner, place?.fields.get(name) ?? place?.others, depth + 1)];
    }),
  );
}

function maskLeaves(value: unknown, depth: number): unknown {
  if (value === null) return null;
  if (typeof value !== 'object' || depth > MAX_DEPTH) return MASK;
  if (Array.isArray(value)) return value.map(item => maskLeaves(item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, maskLeaves(inner, depth + 1)]));
}

// --- Places --------------------------------------------------------------------------------------------------------

/** Where in an answer secrets are. Plain data: it crosses to a thread. */
export type Place = {
  secret: boolean;
  readonly fields: Map<string, Place>;
  items: Place | undefined;
  others: Place | undefined;
};

const known = new WeakMap<Operation, Place | undefined>();

export function secretsOf(operation: Operation): Place | undefined {
  if (!known.has(operation)) {
    const schemas = Object.values(operation.answers).flatMap(({ schema }) => (schema === undefined ? [] : [schema]));
    known.set(operation, placeOf(schemas, 0));
  }
  return known.get(operation);
}

/** Undefined where nothing below is secret, so that such answers pass untouched. */
function placeOf(schemas: readonly Schema[], depth: number): Place | undefined {
  if (schemas.length === 0 || depth > MAX_SCHEMA_DEPTH) return undefined;
  const all = schemas.flatMap(alternatives);
  const inner = (word: string) => all.map(schema => schema[word]).filter(isSchema);
  const properties = inner('properties');
  const fields = new Map<string, Place>();
  for (const name of new Set(properties.flatMap(group => Object.keys(group)))) {
    const place = placeOf(properties.map(group => group[name]).filter(isSchema), depth + 1);
    if (place !== undefined) fields.set(name, place);
  }
  const items = placeOf(inner('items'), depth + 1);
  const others = placeOf(inner('additionalProperties'), depth + 1);
  const secret = all.some(schema => schema['x-secret'] === true);
  return secret || fields.size > 0 || items !== undefined || others !== undefined
    ? { secret, fields, items, others }
    : undefined;
}

const alternatives = (schema: Schema): readonly Schema[] => [
  schema,
  ...['allOf', 'oneOf', 'anyOf'].flatMap(word => ((schema[word] as Schema[] | undefined) ?? []).flatMap(alternatives)),
];
