// Brace ranges longer than just-bash expands: it stops at its limit without a word. Those that stand alone become `seq`,
// which has no such limit; the others are refused.
import { parse } from 'just-bash';

const MAX_EXPANDED = 10_000;

/** One syntax tree in, changed in place. Throws for what would come out too short. */
export function widenRanges(node: unknown): void {
  if (Array.isArray(node)) {
    for (const item of node) widenRanges(item);
    return;
  }
  if (typeof node !== 'object' || node === null) return;
  if ('type' in node && node.type === 'Word' && 'parts' in node && Array.isArray(node.parts)) {
    const [part, ...rest] = node.parts as unknown[];
    const range = longRange(part);
    if (range !== undefined && rest.length === 0) {
      node.parts = seqParts(range);
      return;
    }
    if ((node.parts as unknown[]).some(each => longRange(each) !== undefined)) {
      throw new Error(`a brace range in a word gives at most ${MAX_EXPANDED} words in local mode: use seq`);
    }
  }
  for (const value of Object.values(node)) widenRanges(value);
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
