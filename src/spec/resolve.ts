// Converts a schema of an untrusted OpenAPI document to JSON Schema without `$ref`s that a validator can compile. Drops
// unknown keywords, and refuses documents that are too large. Pure; does not know operations.
import { GatewayError } from '../errors.ts';
import { isRecord } from '../ground/json.ts';
import type { Schema } from './description.ts';

/** Ten times what E2B's API needs, but small enough to refuse a malicious document within milliseconds. */
const MAX_NODES = 60_000;
const MAX_DEPTH = 40;
const MAX_REF_HOPS = 20;
export const MAX_TEXT_CHARS = 600;

export type JsonObject = { readonly [key: string]: unknown };

/** The entries of an object, without `__proto__`, which would set a prototype. */
export function entriesOf(value: unknown): [string, unknown][] {
  return isRecord(value) ? Object.entries(value).filter(([key]) => key !== '__proto__') : [];
}

/** Reduces text to one paragraph of limited length without control characters. Returns undefined if it is empty. */
export function textOf(value: unknown, maxChars = MAX_TEXT_CHARS): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value
    .slice(0, maxChars * 4)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it removes them.
    .replace(/[\s\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+/g, ' ')
    .trim();
  if (text === '') return undefined;
  return text.length > maxChars ? `${text.slice(0, maxChars - 1)}…` : text;
}

const TYPES = new Set(['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']);
const isCount = (value: unknown) => Number.isSafeInteger(value) && Number(value) >= 0;
const isNumber = (value: unknown) => typeof value === 'number' && Number.isFinite(value);
const isFlag = (value: unknown) => typeof value === 'boolean';
const isString = (value: unknown) => typeof value === 'string' && value.length <= 200;

/** Keywords that are copied if their value has the right type. Others are handled in the code below or dropped. */
const PLAIN: Readonly<Record<string, (value: unknown) => boolean>> = {
  format: isString,
  minimum: isNumber,
  maximum: isNumber,
  multipleOf: value => isNumber(value) && Number(value) > 0,
  minLength: isCount,
  maxLength: isCount,
  minItems: isCount,
  maxItems: isCount,
  minProperties: isCount,
  maxProperties: isCount,
  deprecated: isFlag,
  readOnly: isFlag,
  writeOnly: isFlag,
  'x-secret': isFlag,
  pattern: isTamePattern,
};

/**
 * The host runs patterns on text that an agent chose, so only those with linear cost are kept: anchored, without
 * groups, and with at most one repetition.
 */
function isTamePattern(value: unknown): boolean {
  if (typeof value !== 'string' || value.length > 100 || !value.startsWith('^') || /[()|]/.test(value)) return false;
  if ((value.replace(/\\./g, '').match(/[*+?{]/g) ?? []).length > 1) return false;
  try {
    return new RegExp(value, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}

/** Resolves references and schemas of one document within one limit. */
export class Resolver {
  readonly #document: JsonObject;
  #nodes = 0;

  constructor(document: JsonObject) {
    this.#document = document;
  }

  /** Follows the `$ref`s of any component. Returns undefined for external, dangling and circular ones. */
  follow(node: unknown): JsonObject | undefined {
    this.#spend();
    let at = node;
    for (let hop = 0; hop < MAX_REF_HOPS; hop++) {
      if (!isRecord(at)) return undefined;
      if (typeof at.$ref !== 'string') return at;
      at = this.#pointer(at.$ref);
    }
    return undefined;
  }

  /** @throws GatewayError `spec_invalid` if the document as a whole exceeds the limit */
  schema(node: unknown): Schema {
    return this.#walk(node, 0, []);
  }

  #spend(): void {
    this.#nodes += 1;
    if (this.#nodes > MAX_NODES)
      throw new GatewayError('spec_invalid', 'The description is too large once its references are resolved.');
  }

  #pointer(ref: string): unknown {
    if (!ref.startsWith('#/')) return undefined;
    let at: unknown = this.#document;
    for (const raw of ref.slice(2).split('/')) {
      const key = raw.replaceAll('~1', '/').replaceAll('~0', '~');
      if (!isRecord(at) || !Object.hasOwn(at, key)) return undefined;
      at = at[key];
    }
    return at;
  }

  /** `open`: the references being resolved. One that occurs again is a cycle and becomes a schema for any value. */
  #walk(node: unknown, depth: number, open: readonly string[]): Schema {
    this.#spend();
    if (!isRecord(node) || depth > MAX_DEPTH) return {};
    if (typeof node.$ref !== 'string') return this.#keywords(node, depth, value => this.#walk(value, depth + 1, open));
    if (open.includes(node.$ref)) return {};
    const { $ref, ...beside } = node;
    const target = this.#walk(this.#pointer($ref), depth + 1, [...open, $ref]);
    return Object.keys(beside).length === 0 ? target : { ...target, ...this.#walk(beside, depth + 1, open) };
  }

  #keywords(node: JsonObject, depth: number, child: (value: unknown) => Schema): Schema {
    const children = (value: unknown) => (Array.isArray(value) ? value.slice(0, MAX_NODES).map(child) : []);
    const out: Record<string, unknown> = {};
    const type = typesOf(node.type);
    if (type !== undefined) out.type = type;
    const description = textOf(node.description);
    if (description !== undefined) out.description = description;
    for (const [keyword, fits] of Object.entries(PLAIN)) {
      if (Object.hasOwn(node, keyword) && fits(node[keyword])) out[keyword] = node[keyword];
    }
    Object.assign(out, exclusiveBounds(node));
    if (Array.isArray(node.enum) && node.enum.length > 0)
      out.enum = distinct(node.enum.map(value => this.#json(value, depth + 1)));
    if (Object.hasOwn(node, 'const')) out.enum = [this.#json(node.const, depth + 1)];
    if (Object.hasOwn(node, 'default')) out.default = this.#json(node.default, depth + 1);

    const properties = entriesOf(node.properties);
    if (properties.length > 0)
      out.properties = Object.fromEntries(properties.map(([name, value]) => [name, child(value)]));
    const required = Array.isArray(node.required) ? node.required.filter(name => typeof name === 'string') : [];
    if (required.length > 0) out.required = [...new Set(required)];
    if (typeof node.additionalProperties === 'boolean') out.additionalProperties = node.additionalProperties;
    else if (isRecord(node.additionalProperties)) out.additionalProperties = child(node.additionalProperties);
    if (isRecord(node.items)) {
      const items = child(node.items);
      out.items = items;
      // Only for scalars, which the validator hashes: it compares objects pairwise, which takes quadratic time.
      if (node.uniqueItems === true && typeof items.type === 'string' && !/object|array/.test(items.type))
        out.uniqueItems = true;
    }
    for (const keyword of ['oneOf', 'anyOf'] as const) {
      const list = children(node[keyword]);
      if (list.length > 0) out[keyword] = list;
    }
    const all = children(node.allOf);
    if (all.length > 1) out.allOf = all;
    const whole = all.length === 1 ? { ...all[0], ...out } : out;
    return node.nullable === true ? orNull(typed(whole)) : typed(whole);
  }

  /** Copies a JSON value within the limit. */
  #json(value: unknown, depth: number): unknown {
    this.#spend();
    if (value === null || isFlag(value) || isNumber(value)) return value;
    if (typeof value === 'string') return value.slice(0, MAX_TEXT_CHARS);
    if (depth > MAX_DEPTH) return null;
    if (Array.isArray(value)) return value.map(item => this.#json(item, depth + 1));
    return Object.fromEntries(entriesOf(value).map(([key, item]) => [key, this.#json(item, depth + 1)]));
  }
}

/** Removes duplicates, because validators refuse an enum that contains a value twice. */
function distinct(values: readonly unknown[]): unknown[] {
  return [...new Map(values.map(value => [JSON.stringify(value), value])).values()];
}

function typesOf(value: unknown): string | string[] | undefined {
  const list = (Array.isArray(value) ? value : [value]).filter(
    (name): name is string => typeof name === 'string' && TYPES.has(name),
  );
  const unique = [...new Set(list)];
  return unique.length > 1 ? unique : unique[0];
}

/** OpenAPI 3.0 has `exclusiveMinimum: true` beside `minimum`; JSON Schema has the number itself. */
function exclusiveBounds(node: JsonObject): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [exclusive, bound] of [
    ['exclusiveMinimum', 'minimum'],
    ['exclusiveMaximum', 'maximum'],
  ] as const) {
    const value = node[exclusive] === true ? node[bound] : node[exclusive];
    if (isNumber(value)) out[exclusive] = value;
  }
  return out;
}

/** Adds `type: object`, which many documents omit for schemas with properties. */
function typed(schema: Schema): Schema {
  const isObject =
    schema.properties !== undefined || schema.additionalProperties !== undefined || schema.required !== undefined;
  return schema.type === undefined && isObject ? { type: 'object', ...schema } : schema;
}

function orNull(schema: Schema): Schema {
  if (schema.type !== undefined) {
    const types = Array.isArray(schema.type) ? schema.type : [schema.type];
    const type = types.includes('null') ? types : [...types, 'null'];
    return Array.isArray(schema.enum)
      ? { ...schema, type, enum: [...new Set([...schema.enum, null])] }
      : { ...schema, type };
  }
  if (schema.oneOf === undefined && schema.anyOf === undefined && schema.allOf === undefined) return schema;
  return { anyOf: [schema, { type: 'null' }] };
}
