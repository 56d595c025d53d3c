// What tool definitions cost a model: ours, and one tool per operation made from the same description of the API.
import { countTokens } from 'gpt-tokenizer';
import type { Capability, Operation } from '../../src/spec/description.ts';
import { loadDescription } from '../../src/spec/load.ts';

type Tool = { readonly name: string; readonly description: string; readonly inputSchema: object };

/** Tokens of a `tools/list` response's `tools`, by OpenAI's o200k_base encoding. */
export const tokensOf = (tools: readonly unknown[]): number => countTokens(JSON.stringify(tools));

/** The tools that a gateway with one tool per operation would list, written as briefly as our description allows. */
export async function oneToolPerOperation() {
  const { operations, capabilities } = await loadDescription('openapi/e2b.yaml');
  const current = operations.filter(({ deprecated }) => !deprecated);
  return { operations: current.map(toolOfOperation), methods: capabilities.map(toolOfMethod) };
}

function toolOfOperation({ method, path, summary, description, parameters, body }: Operation): Tool {
  const properties = Object.fromEntries(
    parameters.map(({ name, schema, description: about }) => [
      name,
      { ...schema, ...(about && { description: about }) },
    ]),
  );
  const required = parameters.filter(parameter => parameter.required).map(({ name }) => name);
  return {
    name: `${method}${path}`
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '_')
      .replaceAll(/^_|_$/g, ''),
    description: [summary, description].filter(Boolean).join('. '),
    inputSchema: {
      type: 'object',
      properties: { ...properties, ...(body && { body: body.schema }) },
      required: [...required, ...(body?.required ? ['body'] : [])],
    },
  };
}

/** Our description has no JSON Schema for these: the signature is counted instead, which is shorter than a schema would be. */
function toolOfMethod({ id, signature, summary, description }: Capability): Tool {
  return {
    name: id.toLowerCase().replaceAll('.', '_'),
    description: [summary, description, signature].filter(Boolean).join('. '),
    inputSchema: { type: 'object' },
  };
}
