// What two descriptions of an API say about the same things, words left out. Pure; knows nothing of files or E2B.
import type { Description, Operation, Schema } from '../src/spec/description.ts';

export type Difference = {
  /** `POST /v2/sandboxes body.network.allowOut`, and after a `#` the keyword where one differs. */
  readonly place: string;
  readonly ours: string | undefined;
  readonly theirs: string | undefined;
};

/** Facts about one thing, and the things inside it. */
type Node = { readonly facts: Readonly<Record<string, string>>; readonly parts: Readonly<Record<string, Node>> };

/** Both ways. Of what one side lacks only the outermost place is listed. */
export function compareFacts(ours: Description, theirs: Description): Difference[] {
  return differences('', apiNode(ours), apiNode(theirs));
}

function differences(place: string, ours: Node, theirs: Node): Difference[] {
  const facts = keysOf(ours.facts, theirs.facts)
    .filter(key => ours.facts[key] !== theirs.facts[key])
    .map(key => ({ place: `${place}#${key}`, ours: ours.facts[key], theirs: theirs.facts[key] }));
  const parts = keysOf(ours.parts, theirs.parts).flatMap(name => {
    const [mine, other, at] = [ours.parts[name], theirs.parts[name], place + name];
    if (mine !== undefined && other !== undefined) return differences(at, mine, other);
    return [{ place: at, ours: mine && 'there', theirs: other && 'there' }];
  });
  return [...facts, ...parts];
}

function keysOf(a: object, b: object): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
}

function apiNode(description: Description): Node {
  return {
    facts: {},
    parts: Object.fromEntries(description.operations.map(operation => [operation.id, operationNode(operation)])),
  };
}

function operationNode({ deprecated, parameters, body, answers }: Operation): Node {
  const parts: Record<string, Node> = {};
  for (const { name, in: place, required, explode = true, schema } of parameters) {
    const facts = { required: String(required), ...(schema.type === 'array' ? { explode: String(explode) } : {}) };
    parts[` ${place}.${name}`] = schemaNode(schema, facts);
  }
  if (body !== undefined) {
    parts[' body'] = schemaNode(body.schema, { required: String(body.required), contentType: body.contentType });
  }
  for (const [status, { headers = {}, schema }] of Object.entries(answers)) {
    const inside = Object.fromEntries(Object.keys(headers).map(name => [` header ${name}`, { facts: {}, parts: {} }]));
    parts[` ${status}`] = {
      facts: {},
      parts: { ...inside, ...(schema === undefined ? {} : { ' answer': schemaNode(schema, {}) }) },
    };
  }
  return { facts: { deprecated: String(deprecated) }, parts };
}

/** Keywords that are words, or are looked at below. */
const NO_FACTS = new Set([
  'description',
  'x-secret',
  'properties',
  'required',
  'items',
  'additionalProperties',
  'oneOf',
  'anyOf',
  'allOf',
]);

function schemaNode(schema: Schema, facts: Record<string, string>): Node {
  const parts: Record<string, Node> = {};
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  for (const [name, child] of Object.entries(asSchema(schema.properties))) {
    parts[`.${name}`] = schemaNode(asSchema(child), { required: String(required.has(name)) });
  }
  if (schema.items !== undefined) parts['[]'] = schemaNode(asSchema(schema.items), {});
  if (typeof schema.additionalProperties === 'object')
    parts['.*'] = schemaNode(asSchema(schema.additionalProperties), {});
  for (const keyword of ['oneOf', 'anyOf', 'allOf'] as const) {
    const list: unknown = schema[keyword];
    if (Array.isArray(list))
      for (const [at, child] of list.entries()) parts[` ${keyword}${at}`] = schemaNode(asSchema(child), {});
  }
  const own = Object.entries(schema)
    .filter(([keyword]) => !NO_FACTS.has(keyword))
    .map(([keyword, value]) => [keyword, inOrder(keyword, value)]);
  const closed = schema.additionalProperties === false ? { additionalProperties: 'false' } : {};
  return { facts: { ...facts, ...Object.fromEntries(own), ...closed }, parts };
}

/** The order of types and enums says nothing. */
function inOrder(keyword: string, value: unknown): string {
  const isSet = (keyword === 'type' || keyword === 'enum') && Array.isArray(value);
  return JSON.stringify(isSet ? [...value].sort() : value);
}

function asSchema(value: unknown): Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Schema) : {};
}
