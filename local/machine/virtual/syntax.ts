// The shell's syntax tree, as just-bash parses it; it exports the main nodes only, the rest follow from them.
import type { CommandNode, PipelineNode, ScriptNode, SimpleCommandNode, StatementNode, WordNode } from 'just-bash';

export type { CommandNode, PipelineNode, ScriptNode, SimpleCommandNode, StatementNode, WordNode };
export type AssignmentNode = SimpleCommandNode['assignments'][number];
export type RedirectionNode = SimpleCommandNode['redirections'][number];

/** The node and all nodes inside it. A node's own are looked at after it was given out: it may be changed. */
export function* nodesOf(tree: unknown): Generator<Record<string, unknown>> {
  if (typeof tree !== 'object' || tree === null) return;
  if ('type' in tree) yield tree as Record<string, unknown>;
  for (const inner of Object.values(tree)) yield* nodesOf(inner);
}
