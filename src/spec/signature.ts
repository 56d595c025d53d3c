// One operation or Sandbox method as a few lines in TypeScript style: what to send, what comes back, units, defaults,
// traps, an example. Pure, and without Node: runs inside the guest.
import type { Capability, Operation, Parameter, Schema } from './description.ts';

export function capabilitySignature({ id, signature, summary, description, mode, example }: Capability): string {
  const lines = [`${id} (${tools(mode)}): ${summary}.`];
  if (description !== undefined) lines.push(description);
  lines.push(signature);
  if (example !== undefined) lines.push(`e.g. ${example}`);
  return lines.join('\n');
}

export function operationSignature(operation: Operation): string {
  const { id, summary, description, deprecated, method, parameters, body, answers } = operation;
  const lines = [
    `${id} (${tools(method === 'GET' || method === 'HEAD' ? 'read' : 'write')})${deprecated ? ' DEPRECATED' : ''}: ${summary}.`,
  ];
  if (description !== undefined) lines.push(description);
  for (const place of ['path', 'query', 'header'] as const) {
    const own = parameters.filter(parameter => parameter.in === place);
    // A path parameter that is a plain string says nothing its name does not.
    const telling =
      place === 'path'
        ? own.filter(({ description: text, schema }) => text !== undefined || schema.type !== 'string')
        : own;
    if (telling.length > 0) lines.push(`${place}: {`, ...telling.map(parameterLine), '}');
  }
  if (body !== undefined) {
    const type = body.contentType === 'application/json' ? '' : ` (${body.contentType})`;
    lines.push(`body${body.required ? '' : '?'}${type}: ${block(body.schema)}`);
  }
  for (const [status, answer] of Object.entries(answers)) {
    lines.push(`→ ${status}${answer.schema === undefined ? ' (no body)' : ` ${inline(answer.schema)}`}`);
    for (const [name, text] of Object.entries(answer.headers ?? {})) lines.push(`  header ${name}: ${text}`);
  }
  lines.push(`e.g. await api.request(${example(operation)})`);
  return mergeSameAnswers(lines).join('\n');
}

function tools(mode: 'read' | 'write'): string {
  return mode === 'read' ? 'execute_read' : 'execute_write';
}

/** 200 and 201 with the same body are one line. */
function mergeSameAnswers(lines: readonly string[]): string[] {
  const out: string[] = [];
  for (const line of lines) {
    const before = out.at(-1);
    const [, status, rest] = /^→ (\S+) (.*)$/s.exec(line) ?? [];
    const [, beforeStatus, beforeRest] = /^→ (\S+) (.*)$/s.exec(before ?? '') ?? [];
    if (rest !== undefined && rest === beforeRest) out[out.length - 1] = `→ ${beforeStatus}|${status} ${rest}`;
    else out.push(line);
  }
  return out;
}

function parameterLine({ name, required, schema, description, explode }: Parameter): string {
  const text = [description, explode === false ? undefined : schema.type === 'array' ? 'Repeat the name.' : undefined];
  return fieldLine(name, required, schema, text.filter(part => part !== undefined).join(' '));
}

function fieldLine(name: string, required: boolean, schema: Schema, text: unknown, indent = '  '): string {
  const defaultPart = schema.default === undefined ? '' : ` = ${JSON.stringify(schema.default)}`;
  const comment = [limits(schema), typeof text === 'string' && text !== '' ? text : undefined].filter(
    part => part !== undefined,
  );
  return `${indent}${key(name)}${required ? '' : '?'}: ${block(schema, indent)}${defaultPart}${comment.length > 0 ? ` // ${comment.join(' ')}` : ''}`;
}

/** Objects one field a line while that helps, else inline. */
function block(schema: Schema, indent = ''): string {
  const properties = live(schema);
  if (properties.length === 0 || indent.length >= 4) return inline(schema);
  const required = requiredOf(schema);
  const lines = properties.map(([name, child]) =>
    fieldLine(name, required.has(name), child, child.description, `${indent}  `),
  );
  return `{\n${lines.join('\n')}\n${indent}}${isNullable(schema) ? ' | null' : ''}`;
}

/** A type on one line. A field without a type is a string. */
function inline(schema: Schema, depth = 0): string {
  const kinds = (Array.isArray(schema.type) ? schema.type : [schema.type]).filter(kind => kind !== 'null');
  const orNull = isNullable(schema) ? ' | null' : '';
  if (Array.isArray(schema.enum)) return schema.enum.map(value => JSON.stringify(value)).join(' | ');
  for (const keyword of ['oneOf', 'anyOf', 'allOf'] as const) {
    const list = schema[keyword];
    if (Array.isArray(list))
      return list.map(child => inline(child as Schema, depth + 1)).join(keyword === 'allOf' ? ' & ' : ' | ');
  }
  if (kinds.includes('array')) {
    const items = inline((schema.items ?? {}) as Schema, depth + 1);
    return `${items.includes(' | ') ? `(${items})` : items}[]${orNull}`;
  }
  if (kinds.includes('object')) return `${objectType(schema, depth)}${orNull}`;
  return `${kinds.length === 0 ? 'any' : kinds.join(' | ')}${orNull}`;
}

function objectType(schema: Schema, depth: number): string {
  const properties = live(schema);
  if (properties.length === 0) {
    const values = schema.additionalProperties;
    return isSchema(values) && Object.keys(values).length > 0
      ? `Record<string, ${inline(values, depth + 1)}>`
      : 'object';
  }
  if (depth > 5) return 'object';
  const required = requiredOf(schema);
  const fields = properties.map(([name, child]) => {
    const type = inline(child, depth + 1);
    const unit = shortUnit(child);
    return `${key(name)}${required.has(name) ? '' : '?'}${type === 'string' ? '' : `: ${type}`}${unit}`;
  });
  return `{ ${fields.join(', ')} }`;
}

/** "Bytes." and the like are worth their place even inline. */
function shortUnit({ description }: Schema): string {
  return typeof description === 'string' && description.length <= 12 ? ` /* ${description.replace(/\.$/, '')} */` : '';
}

/** Fields an agent should see: not those it must not use any more, nor those it never gets. */
function live(schema: Schema): [string, Schema][] {
  if (!isSchema(schema.properties)) return [];
  return Object.entries(schema.properties).flatMap(([name, child]) =>
    isSchema(child) && child.deprecated !== true && !isHidden(child) ? [[name, child] as [string, Schema]] : [],
  );
}

function isHidden(schema: Schema): boolean {
  return schema['x-secret'] === true && schema.description === 'Hidden by the gateway.';
}

function isNullable(schema: Schema): boolean {
  return Array.isArray(schema.type) && schema.type.includes('null');
}

function requiredOf(schema: Schema): ReadonlySet<unknown> {
  return new Set(Array.isArray(schema.required) ? schema.required : []);
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

function limits(schema: Schema): string | undefined {
  const range = (low: unknown, high: unknown, unit: string) => {
    if (low !== undefined && high !== undefined) return `${low}..${high}${unit}`;
    if (high !== undefined) return `≤ ${high}${unit}`;
    return low === undefined || low === 0 ? undefined : `≥ ${low}${unit}`;
  };
  const parts = [
    range(schema.minimum, schema.maximum, ''),
    range(schema.minLength, schema.maxLength, ' chars'),
    range(schema.minItems, schema.maxItems, ' items'),
    schema.pattern === undefined ? undefined : `/${schema.pattern}/`,
  ].filter(part => part !== undefined);
  return parts.length === 0 ? undefined : `${parts.join(', ')}.`;
}

function example({ method, path, parameters, body }: Operation): string {
  const filled = path.replace(/\{([^}]+)\}/g, (_, name: string) => `\${${name}}`);
  const parts = [`method: '${method}'`, `path: ${filled === path ? `'${path}'` : `\`${filled}\``}`];
  const query = parameters.filter(parameter => parameter.in === 'query' && parameter.required);
  if (query.length > 0)
    parts.push(`query: { ${query.map(({ name, schema }) => `${key(name)}: ${sample(schema)}`).join(', ')} }`);
  if (body !== undefined) {
    const required = requiredOf(body.schema);
    const own = live(body.schema);
    const must = own.filter(([name]) => required.has(name));
    const shown = must.length > 0 ? must : own.slice(0, 1);
    parts.push(`body: { ${shown.map(([name, child]) => `${key(name)}: ${sample(child)}`).join(', ')} }`);
  }
  return `{ ${parts.join(', ')} }`;
}

function sample(schema: Schema): string {
  if (Array.isArray(schema.enum)) return JSON.stringify(schema.enum[0]).replaceAll('"', "'");
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === 'integer' || type === 'number')
    return String(schema.default ?? Math.max(Number(schema.minimum ?? 0), 60));
  if (type === 'boolean') return String(schema.default ?? true);
  if (type === 'array') return `[${sample((schema.items ?? {}) as Schema)}]`;
  return type === 'object' ? '{}' : "'…'";
}
