// Brace ranges longer than just-bash expands: it stops at its limit without a word. Those that stand alone become `seq`,
// which has no such limit; the others are refused.
import { parse } from 'just-bash';

const MAX_EXPANDED = 10_000;

/** One syntax tree in, changed in place. Throws for what would come out too short. */
export function widenRanges(tree: unknown): void {
  for (const node of nodesOf(tree)) {
    if (node.type !== 'Word' || !Array.isArray(node.parts)) continue;
    const ranges = node.parts.map(longRange);
    const [range] = ranges;
    if (range !== undefined && ranges.length === 1) node.parts = seqParts(range);
    else if (ranges.some(each => each !== undefined)) {
      throw new Error(`a brace range in a word gives at most ${MAX_EXPANDED} words in local mode: use seq`);
    }
  }
}

type Range = { readonly start: number; readonly end: number; readonly step: number };

function longRange(part: unknown): Range | undefined {
  if (typeof part !== 'object' || part === null || !('items' in part) || !Array.isArray(part.items)) return undefined;
  for (const item of part.items as { type?: unknown; start?: unknown; end?: unknown; step?: unknown }[]) {
    const { type, start, end, step } = item;
    if (type !== 'Range' || typeof start !== 'number' || typeof end !== 'number') continue;
    const by = Math.abs(typeof step === 'number' && step !== 0 ? step : 1);
    if (Math.abs(end - start) / by >= MAX_EXPANDED) return { start, end, step: end < start ? -by : by };
  }
  return undefined;
}

function seqParts({ start, end, step }: Range): unknown {
  const [statement] = parse(`x $(seq ${start} ${step} ${end})`).statements;
  const [command] = statement?.pipelines[0]?.commands ?? [];
  return command?.type === 'SimpleCommand' ? command.args[0]?.parts : [];
}

/** The node and all nodes inside it. A node's own are looked at after it was given out: it may be changed. */
export function* nodesOf(tree: unknown): Generator<Record<string, unknown>> {
  if (typeof tree !== 'object' || tree === null) return;
  if ('type' in tree) yield tree as Record<string, unknown>;
  for (const inner of Object.values(tree)) yield* nodesOf(inner);
}
