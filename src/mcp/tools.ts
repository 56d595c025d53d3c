// The three tools, one record each: what clients see of them. What a call does stands in run.ts.
import type { ToolAnnotations } from '@modelcontextprotocol/server';
import type { Surface } from '../engine/engine.ts';
import { toolText } from '../guest/declarations.ts';

export type ToolRecord = {
  readonly name: string;
  readonly surface: Surface;
  readonly title: string;
  readonly description: string;
  readonly annotations: ToolAnnotations;
};

/** Order is part of the contract: clients cache the list, and models read it top down. `wallMs`: of one call. */
export function createTools(wallMs: number): readonly ToolRecord[] {
  const text = toolText(wallMs);
  return [
    {
      name: 'search',
      surface: 'search',
      title: 'Search the E2B API',
      description: text.search,
      annotations: {
        title: 'Search the E2B API',
        readOnlyHint: true,
        destructiveHint: false,
        idempotentHint: true,
        openWorldHint: false,
      },
    },
    {
      name: 'execute_read',
      surface: 'read',
      title: 'Read from E2B',
      description: text.read,
      annotations: {
        title: 'Read from E2B',
        readOnlyHint: true,
        destructiveHint: false,
        idempotentHint: true,
        openWorldHint: true,
      },
    },
    {
      name: 'execute_write',
      surface: 'write',
      title: 'Change things in E2B',
      description: text.write,
      annotations: {
        title: 'Change things in E2B',
        readOnlyHint: false,
        destructiveHint: true,
        idempotentHint: false,
        openWorldHint: true,
      },
    },
  ];
}

/** With the settings nobody changed. */
export const TOOLS = createTools(60_000);
