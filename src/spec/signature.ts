// Describes an operation or Sandbox method in a few lines in TypeScript style: parameters, response, units, defaults,
// pitfalls and an example. Pure, and without Node: runs inside the guest.
import { type Answer, type Capability, isSchema, type Operation, type Schema } from './description.ts';
import { answeredType, type Field, fieldsOf, key, plainType, sentFields, sentType } from './types.ts';

export function capabilitySignature({ id, signature, summary, description, mode, example }: Capability): string {
  return lines([`${id} (execute_${mode}): ${summary}`, description, signature, example && `e.g. ${example}`]);
}

export function operationSignature(operation: Operation): string {
  const { id, summary, description, deprecated, method, parameters, body, answers } = operation;
  const mode = method === 'GET' || method === 'HEAD' ? 'read' : 'write';
  const inPlace = (place: string): Field[] =>
    parameters
      .filter(parameter => parameter.in === place)
      .map(({ name, required, schema, description: note }) => ({ name, required, schema, note }));
  // A path parameter that is a plain string without a note is clear from the path.
  const path = inPlace('path').filter(({ note, schema }) => note !== undefined || schema.type !== 'string');
  const [query, header] = [inPlace('query'), inPlace('header')];
  const type = body === undefined || body.contentType === 'application/json' ? '' : ` (${body.contentType})`;
  return lines([
    `${id} (execute_${mode}${deprecated ? ', DEPRECATED' : ''}): ${summary}`,
    description,
    path.length > 0 && `path: ${sentFields(path)}`,
    query.length > 0 && `query: ${sentFields(query)}`,
    header.length > 0 && `headers: ${sentFields(header)}`,
    // A deprecated operation names its successor, which shows the notes.
    body && `body${body.required ? '' : '?'}${type}: ${deprecated ? plainType(body.schema) : sentType(body.schema)}`,
    ...answerLines(answers),
    `e.g. ${example(operation)}`,
  ]);
}

function lines(parts: readonly (string | false | undefined)[]): string {
  return parts.filter(part => typeof part === 'string' && part !== '').join('\n');
}

/** One line for all statuses with the same body. */
function answerLines(answers: Readonly<Record<string, Answer>>): string[] {
  const byShape = new Map<string, string[]>();
  for (const [status, { schema, headers = {} }] of Object.entries(answers)) {
    const pages = Object.entries(headers).map(([name, text]) => `\n  header ${name}${text === '' ? '' : `: ${text}`}`);
    const shape = (schema === undefined ? 'no body' : answeredType(schema)) + pages.join('');
    byShape.set(shape, [...(byShape.get(shape) ?? []), status]);
  }
  return [...byShape].map(([shape, statuses]) => `→ ${statuses.join('|')} ${shape}`);
}

/** Writes the shortest complete call. */
function example({ method, path, parameters, body }: Operation): string {
  const filled = path.replace(/\{([^}]+)\}/g, (_, name: string) => `\${${name}}`);
  const query = parameters.filter(parameter => parameter.in === 'query' && parameter.required);
  const parts = [`method: '${method}'`, `path: ${filled === path ? `'${path}'` : `\`${filled}\``}`];
  if (query.length > 0) parts.push(`query: ${samples(query)}`);
  if (body?.required === true) {
    const fields = fieldsOf(body.schema);
    const required = fields.filter(field => field.required);
    parts.push(`body: ${samples(required.length > 0 ? required : fields.slice(0, 1))}`);
  }
  return `await api.request({ ${parts.join(', ')} })`;
}

function samples(fields: readonly { name: string; schema: Schema }[]): string {
  return fields.length === 0
    ? '{}'
    : `{ ${fields.map(({ name, schema }) => `${key(name)}: ${sample(schema)}`).join(', ')} }`;
}

function sample(schema: Schema): string {
  if (Array.isArray(schema.enum))
    return typeof schema.enum[0] === 'string' ? `'${schema.enum[0]}'` : JSON.stringify(schema.enum[0] ?? null);
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === 'integer' || type === 'number')
    return JSON.stringify(schema.default ?? Math.max(Number(schema.minimum ?? 0), 60));
  if (type === 'boolean') return JSON.stringify(schema.default ?? true);
  if (type === 'array') return `[${sample(isSchema(schema.items) ? schema.items : {})}]`;
  return type === 'object' ? '{}' : "'…'";
}
