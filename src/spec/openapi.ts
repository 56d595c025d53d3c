// Makes `spec`, the description for the agent's code. It has the form of an OpenAPI document, because models know that
// form. Pure, and without Node: this runs inside the guest.
import { omitUndefined } from '../ground/omit-undefined.ts';
import type { Answer, Description, Operation } from './description.ts';

/** `paths[path][method]` with the method in lower case and without `$ref`s. `sandbox`: the methods of `Sandbox`. */
export type Spec = ReturnType<typeof toSpec>;

export function toSpec({ title, version, operations, capabilities }: Description) {
  const paths: Record<string, Record<string, ReturnType<typeof toSpecOperation>>> = {};
  for (const operation of operations) {
    const methods = paths[operation.path] ?? {};
    methods[operation.method.toLowerCase()] = toSpecOperation(operation);
    paths[operation.path] = methods;
  }
  return { openapi: '3.1.0', info: { title, version }, paths, sandbox: capabilities };
}

function toSpecOperation({ id, summary, description, deprecated, keywords, parameters, body, answers }: Operation) {
  return {
    operationId: id,
    summary,
    ...omitUndefined({ description }),
    ...(deprecated && { deprecated }),
    'x-keywords': keywords,
    parameters,
    ...(body && { requestBody: { required: body.required, content: { [body.contentType]: { schema: body.schema } } } }),
    responses: mapValues(answers, toSpecAnswer),
  };
}

const toSpecAnswer = ({ description = '', headers, schema }: Answer) => ({
  description,
  ...(headers && { headers: mapValues(headers, text => ({ description: text })) }),
  ...(schema && { content: { 'application/json': { schema } } }),
});

const mapValues = <From, To>(record: Readonly<Record<string, From>>, to: (value: From) => To): Record<string, To> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, to(value)]));
