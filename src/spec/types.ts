// Writes a schema as compact text in TypeScript style. Values to send show types, limits, defaults and descriptions;
// values of responses only names and types. Pure, and without Node: runs inside the guest.
import { isSchema, type Schema } from './description.ts';

const MAX_LINE_CHARS = 110;
const MAX_DEPTH = 6;

export type Field = {
  readonly name: string;
  readonly required: boolean;
  readonly schema: Schema;
  readonly note?: string | undefined;
};

/** Fields of an object to send: on one line if it is short, else one field per line. */
export function sentFields(fields: readonly Field[], indent = ''): string {
  const inside = `${indent}  `;
  const parts = fields.map(field => ({
    head: `${key(field.name)}${field.required ? '' : '?'}: ${sentType(field.schema, inside)}`,
    ...notesOf(field),
  }));
  const short = `{ ${parts.map(({ head, value, note }) => head + value + (note === '' ? '' : ` /* ${note} */`)).join(', ')} }`;
  if (indent.length + short.length <= MAX_LINE_CHARS && !short.includes('\n')) return short;
  const lines = parts.map(({ head, value, note }) => `${inside}${head}${value}${note === '' ? '' : ` // ${note}`}`);
  return `{\n${lines.join('\n')}\n${indent}}`;
}

/** Fields of an object schema that are not deprecated. */
export function fieldsOf(schema: Schema): Field[] {
  if (!isSchema(schema.properties)) return [];
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  return Object.entries(schema.properties).flatMap(([name, child]): Field[] =>
    isSchema(child) && child.deprecated !== true ? [{ name, required: required.has(name), schema: child }] : [],
  );
}

/** Type of a value to send. The fields of an object have notes; values nested in them are one line without notes. */
export function sentType(schema: Schema, indent = ''): string {
  const fields = fieldsOf(schema);
  return fields.length > 0 && indent === '' ? sentFields(fields) + orNull(schema) : plainType(schema);
}

/** Names, types and defaults on one line. */
export function plainType(schema: Schema, depth = 0): string {
  const field = ({ name, required, schema: child }: Field, below: number) => {
    const type = plainType(child, below);
    const value = child.default === undefined ? '' : ` = ${JSON.stringify(child.default)}`;
    return `${key(name)}${required ? '' : '?'}${type === 'string' ? '' : `: ${type}`}${value}`;
  };
  return typeText(schema, field, depth);
}

/** Type of a response. Strings and numbers show no type, and secrets are left out. */
export function answeredType(schema: Schema, depth = 0): string {
  const field = ({ name, required, schema: child }: Field, below: number) => {
    const type = answeredType(child, below);
    const unit =
      typeof child.description === 'string' && child.description.length <= 12
        ? ` /* ${sentence(child.description)} */`
        : '';
    return `${key(name)}${required ? '' : '?'}${/^(?:string|int|number)$/.test(type) ? '' : `: ${type}`}${unit}`;
  };
  return typeText(schema, field, depth, child => child['x-secret'] !== true);
}

/** Writes one line. `field` writes the fields of objects, `keep` selects them. */
function typeText(
  schema: Schema,
  field: (field: Field, depth: number) => string,
  depth = 0,
  keep = (_: Schema) => true,
): string {
  if (Array.isArray(schema.enum)) return schema.enum.map(value => JSON.stringify(value)).join(' | ');
  const again = (child: unknown) => typeText(isSchema(child) ? child : {}, field, depth + 1, keep);
  for (const [keyword, joint] of [
    ['oneOf', ' | '],
    ['anyOf', ' | '],
    ['allOf', ' & '],
  ] as const) {
    const list = schema[keyword];
    if (Array.isArray(list)) return list.map(again).join(joint);
  }
  const kinds = (Array.isArray(schema.type) ? schema.type : [schema.type]).filter(
    kind => kind !== 'null' && kind !== undefined,
  );
  const texts = kinds.map(kind => {
    if (kind === 'integer') return 'int';
    if (kind === 'array') return arrayOf(again(schema.items));
    if (kind !== 'object') return String(kind);
    const fields = fieldsOf(schema).filter(({ schema: child }) => keep(child));
    if (fields.length > 0 && depth < MAX_DEPTH) return `{ ${fields.map(each => field(each, depth + 1)).join(', ')} }`;
    const values = schema.additionalProperties;
    return isSchema(values) && Object.keys(values).length > 0 ? `Record<string, ${again(values)}>` : 'object';
  });
  return (texts.length === 0 ? 'any' : texts.join(' | ')) + orNull(schema);
}

function arrayOf(items: string): string {
  const isUnion = items.replace(/\{.*\}|<.*>/s, '').includes(' | ');
  return `${isUnion ? `(${items})` : items}[]`;
}

function orNull(schema: Schema): string {
  return Array.isArray(schema.type) && schema.type.includes('null') ? ' | null' : '';
}

/** ` = 300` and `1..100. Entries per page`. */
function notesOf({ schema, note = schema.description as string | undefined }: Field): { value: string; note: string } {
  const value = schema.default === undefined ? '' : ` = ${JSON.stringify(schema.default)}`;
  const parts = [limits(schema), typeof note === 'string' ? sentence(note) : ''].filter(part => part !== '');
  return { value, note: parts.join('. ') };
}

function sentence(text: string): string {
  return text.replace(/\.$/, '');
}

function limits(schema: Schema): string {
  const range = (low: unknown, high: unknown, unit: string) => {
    if (low !== undefined && high !== undefined) return `${low}..${high}${unit}`;
    if (high !== undefined) return `≤ ${high}${unit}`;
    return low === undefined || low === 0 ? '' : `≥ ${low}${unit}`;
  };
  const parts = [
    range(schema.minimum, schema.maximum, ''),
    range(schema.minLength, schema.maxLength, ' chars'),
    range(schema.minItems, schema.maxItems, ' items'),
    schema.pattern === undefined ? '' : `/${schema.pattern}/`,
  ];
  return parts.filter(part => part !== '').join(', ');
}

/** Quotes a name if it is not a valid property name. */
export function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}
