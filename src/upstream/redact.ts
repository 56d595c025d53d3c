// Masks secrets in responses before a guest sees them: by place (`x-secret` in the description) and by name. Pure.
import { isSchema, type Operation, type Schema } from '../spec/description.ts';
import { MASK } from './key-spellings.ts';

/** Names of fields whose value is a secret in any response. */
const SECRET_FIELDS = new Set([
  'envdAccessToken',
  'trafficAccessToken',
  'accessToken',
  'apiKey',
  'token',
  'password',
  'signatureSecret',
]);
/** Names of fields in which all values are secret; the names in them stay. */
const SECRET_PARENTS = new Set(['fromImageRegistry', 'egressProxy', 'transform']);
/** The signature in a presigned URL, in any field. */
const SIGNED = /[?&][\w-]*(?:[sS]ignature|sig)=/;
/** Text that does not match has no secret by name. A single expression, so that large text is scanned once. */
const TRIGGER = new RegExp(`"(?:${[...SECRET_FIELDS, ...SECRET_PARENTS].join('|')})"|ignature=|sig=`);
/** Escapes that Go's JSON encoder does not write, and that could hide a name. */
const UNUSUAL_ESCAPE = /\\u(?!00(?:26|3c|3e))/i;
const MAX_DEPTH = 100;
/** Limits the depth, because schemas may be deep. */
const MAX_SCHEMA_DEPTH = 12;

/** False if the JSON text contains no secret by name, and no escapes that could hide one. */
export const mayHoldSecret = (text: string): boolean => TRIGGER.test(text) || hasUnusualEscapes(text);

const hasUnusualEscapes = (text: string): boolean => UNUSUAL_ESCAPE.test(text);

export const maskSecrets = (value: unknown, place?: Place): unknown => mask(value, place, 0);

function mask(value: unknown, place: Place | undefined, depth: number): unknown {
  if (place?.secret === true) return value === null ? null : MASK;
  if (typeof value === 'string') return SIGNED.test(value) ? MASK : value;
  if (typeof value !== 'object' || value === null) return value;
  // The SDK converts some fields to dates.
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

/** The places of secrets in a response. Plain data, because it is sent to a thread. */
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

/** Returns undefined if nothing below is secret, so that such responses stay unchanged. */
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
