// Puts our own texts and secret marks over a published description. Types, required fields, enums and limits stay, so
// that a newer API keeps its newer facts. Pure.
import { isRecord } from '../ground/json.ts';
import { omitUndefined } from '../ground/omit-undefined.ts';
import type { Answer, Description, Operation, Parameter, Schema } from './description.ts';

/** Takes texts of operations from `words`, even if they are empty. Operations that `words` lacks stay as in `facts`. */
export function layWords(facts: Description, words: Description): Description {
  const known = new Map(words.operations.map(operation => [operation.id, operation]));
  return {
    title: words.title,
    version: facts.version,
    operations: facts.operations.map(operation => {
      const ours = known.get(operation.id);
      return ours === undefined ? withoutEffect(operation) : layOperation(operation, ours);
    }),
    capabilities: words.capabilities,
    ...omitUndefined({ notes: words.notes, synonyms: words.synonyms }),
  };
}

/** Appends operations that only `base` has, so that an outdated published description removes nothing. */
export function addMissing(fresh: Description, base: Description): Description {
  const known = new Set(fresh.operations.map(operation => operation.id));
  return {
    ...fresh,
    operations: [...fresh.operations, ...base.operations.filter(operation => !known.has(operation.id))],
  };
}

/** Effects of a published description are not trusted, because quotas and approvals depend on them. */
function withoutEffect({ effect: _, resource: __, ...operation }: Operation): Operation {
  return operation;
}

function layOperation(facts: Operation, ours: Operation): Operation {
  const { body } = facts;
  const { summary, description, keywords, effect, resource } = ours;
  return omitUndefined({
    ...facts,
    ...{ summary, description, keywords, effect, resource },
    deprecated: facts.deprecated || ours.deprecated,
    parameters: facts.parameters.map(parameter => layParameter(parameter, ours)),
    body: body && { ...body, schema: laySchema(body.schema, ours.body?.schema) },
    answers: Object.fromEntries(
      Object.entries(facts.answers).map(([status, answer]) => [status, layAnswer(answer, ours.answers[status])]),
    ),
  });
}

function layParameter(facts: Parameter, ours: Operation): Parameter {
  const match = ours.parameters.find(other => other.in === facts.in && other.name === facts.name);
  if (match === undefined) return facts;
  const { description } = match;
  return omitUndefined({ ...facts, description, schema: laySchema(facts.schema, match.schema) });
}

function layAnswer(facts: Answer, ours: Answer | undefined): Answer {
  if (ours === undefined) return facts;
  const { schema, headers } = facts;
  return omitUndefined({
    description: ours.description,
    schema: schema && laySchema(schema, ours.schema),
    headers: headers && { ...headers, ...pick(ours.headers ?? {}, headers) },
  });
}

function pick(from: Readonly<Record<string, string>>, keys: object): Record<string, string> {
  return Object.fromEntries(Object.entries(from).filter(([key]) => Object.hasOwn(keys, key)));
}

/** The depth is limited, because slim has limited the depth of `facts`. */
function laySchema(facts: Schema, ours: unknown): Schema {
  if (!isRecord(ours)) return facts;
  const { description: _, ...rest } = facts;
  const out: Record<string, unknown> = { ...rest };
  if (ours.description !== undefined) out.description = ours.description;
  if (ours['x-secret'] === true) out['x-secret'] = true;
  if (isRecord(facts.properties) && isRecord(ours.properties)) {
    const words = ours.properties;
    out.properties = Object.fromEntries(
      Object.entries(facts.properties).map(([name, child]) => [
        name,
        isRecord(child) ? laySchema(child, Object.hasOwn(words, name) ? words[name] : undefined) : child,
      ]),
    );
  }
  for (const keyword of ['items', 'additionalProperties'] as const) {
    const child = facts[keyword];
    if (isRecord(child)) out[keyword] = laySchema(child, ours[keyword]);
  }
  for (const keyword of ['oneOf', 'anyOf', 'allOf'] as const) {
    const [list, words] = [facts[keyword], ours[keyword]];
    if (Array.isArray(list) && Array.isArray(words))
      out[keyword] = list.map((child, at) => laySchema(child, words[at]));
  }
  return out;
}
