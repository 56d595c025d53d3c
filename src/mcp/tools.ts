// The three tools as clients see them, one record each. The texts come from the API; run.ts executes the calls.
import type { ToolAnnotations } from '@modelcontextprotocol/server';
import type { Api, ToolLimits } from '../api.ts';
import type { Surface } from '../engine/engine.ts';

export type ToolRecord = {
  readonly name: string;
  readonly surface: Surface;
  readonly title: string;
  readonly description: string;
  readonly annotations: ToolAnnotations;
};

/** The order must not change: clients cache the list, and models read it from the top. */
const NAMES = [
  ['search', 'search'],
  ['execute_read', 'read'],
  ['execute_write', 'write'],
] as const satisfies readonly (readonly [string, Surface])[];

export const TOOL_NAMES: readonly string[] = NAMES.map(([name]) => name);

export const createTools = ({ tools }: Pick<Api, 'tools'>, limits: ToolLimits): readonly ToolRecord[] =>
  NAMES.map(([name, surface]) => {
    const { title, description } = tools[surface];
    return {
      name,
      surface,
      title,
      description: description(limits),
      annotations: {
        title,
        readOnlyHint: surface !== 'write',
        destructiveHint: surface === 'write',
        idempotentHint: surface !== 'write',
        openWorldHint: surface !== 'search',
      },
    };
  });
