// Makes `spec`, the description for the agent's code. It has the form of an OpenAPI document, because models know that
// form. Pure, and without Node: this runs inside the guest.
import { omitUndefined } from '../ground/omit-undefined.ts';
import type { Answer, Capability, Description, Operation, Schema } from './description.ts';

type SpecOperation = {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly deprecated?: true;
  readonly 'x-keywords': readonly string[];
  readonly parameters: readonly {
    name: string;
    in: string;
    required: boolean;
    description?: string;
    explode?: boolean;
    schema: Schema;
  }[];
  readonly requestBody?: { readonly required: boolean; readonly content: Readonly<Record<string, { schema: Schema }>> };
  readonly responses: Readonly<Record<string, SpecAnswer>>;
};

type SpecAnswer = {
  readonly description: string;
  readonly headers?: Readonly<Record<string, { description: string }>>;
  readonly content?: Readonly<Record<string, { schema: Schema }>>;
};

/** `paths[path][method]` with the method in lower case and without `$ref`s. `sandbox`: the methods of `Sandbox`. */
export type Spec = {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, SpecOperation>>>>;
  readonly sandbox: readonly Capability[];
};

export function toSpec(description: Description): Spec {
  const paths: Record<string, Record<string, SpecOperation>> = {};
  for (const operation of description.operations) {
    const methods = paths[operation.path] ?? {};
    methods[operation.method.toLowerCase()] = toSpecOperation(operation);
    paths[operation.path] = methods;
  }
  return {
    openapi: '3.1.0',
    info: { title: description.title, version: description.version },
    paths,
    sandbox: description.capabilities,
  };
}

function toSpecOperation(operation: Operation): SpecOperation {
  const { body } = operation;
  return {
    operationId: operation.id,
    summary: operation.summary,
    ...omitUndefined({ description: operation.description }),
    ...(operation.deprecated ? { deprecated: true } : {}),
    'x-keywords': operation.keywords,
    parameters: operation.parameters,
    ...(body === undefined
      ? {}
      : { requestBody: { required: body.required, content: { [body.contentType]: { schema: body.schema } } } }),
    responses: Object.fromEntries(
      Object.entries(operation.answers).map(([status, answer]) => [status, toSpecAnswer(answer)]),
    ),
  };
}

function toSpecAnswer({ description = '', headers, schema }: Answer): SpecAnswer {
  return {
    description,
    ...(headers === undefined
      ? {}
      : { headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, { description: text }])) }),
    ...(schema === undefined ? {} : { content: { 'application/json': { schema } } }),
  };
}
