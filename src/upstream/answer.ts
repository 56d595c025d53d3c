// What becomes of the body of an answer before a guest sees it: parsed once, the ids of what was made read, what is the
// gateway's own left out, secrets masked, written out again only where something changed. Pure; runs on a thread where
// the body is large.
import { omitUndefined } from '../ground/omit-undefined.ts';
import { maskKey } from './key-spellings.ts';
import { maskSecrets, mayHoldSecret, type Place } from './redact.ts';

export type AnswerPlan = {
  readonly apiKey: string;
  /** Where the description says secrets are. */
  readonly secrets?: Place | undefined;
  /** Of a list of sandboxes: those with this key in their metadata are left out. */
  readonly hiddenMetadataKey?: string | undefined;
  /** Left out of metadata: the gateway's own mark, which an agent has no use for. */
  readonly ownMetadataKey?: string | undefined;
  /** Whether it names sandboxes that were made. */
  readonly findMade?: boolean | undefined;
};

export type ShapedAnswer = {
  /** JSON text for the guest: as it came where nothing had to change, a string where it is no JSON, `null` where it is empty. */
  readonly json: string;
  readonly made: readonly string[];
  /** How many of the list are left, and how many were left out; undefined where it is no list to look through. */
  readonly listed?: { readonly shown: number; readonly hidden: number };
};

export function shapeAnswer(text: string, plan: AnswerPlan): ShapedAnswer {
  if (text.trim() === '') return { json: 'null', made: [] };
  const keyless = maskKey(text, plan.apiKey);
  const parsed = parse(keyless);
  if (parsed === undefined) return { json: JSON.stringify(keyless), made: [] };
  const made = plan.findMade === true ? [parsed.value].flat().flatMap(idOf) : [];
  const { value, listed } = withoutHidden(parsed.value, plan.hiddenMetadataKey);
  const marked = plan.ownMetadataKey !== undefined && keyless.includes(`"${plan.ownMetadataKey}"`);
  if (marked) dropMetadata(value, plan.ownMetadataKey);
  const untouched = !marked && plan.secrets === undefined && !mayHoldSecret(keyless) && (listed?.hidden ?? 0) === 0;
  // Written out again, a key spelt with escapes is in plain characters.
  const json = untouched ? keyless : maskKey(JSON.stringify(maskSecrets(value, plan.secrets)), plan.apiKey);
  return { json, made, ...omitUndefined({ listed }) };
}

/** A sandbox as any listing shows it. */
export function hasMetadata(sandbox: unknown, key: string): boolean {
  if (typeof sandbox !== 'object' || sandbox === null) return false;
  const { metadata } = sandbox as { metadata?: unknown };
  return typeof metadata === 'object' && metadata !== null && Object.hasOwn(metadata, key);
}

/** Of a sandbox, or of each in a list. */
export function dropMetadata(value: unknown, key: string | undefined): void {
  for (const sandbox of Array.isArray(value) ? value : [value])
    if (key !== undefined && hasMetadata(sandbox, key))
      delete (sandbox as { metadata: Record<string, unknown> }).metadata[key];
}

function withoutHidden(value: unknown, key: string | undefined): Pick<ShapedAnswer, 'listed'> & { value: unknown } {
  if (key === undefined || !Array.isArray(value)) return { value };
  const shown = value.filter(sandbox => !hasMetadata(sandbox, key));
  return { value: shown, listed: { shown: shown.length, hidden: value.length - shown.length } };
}

/** Of a sandbox, or of one entry of a fork's answer. */
function idOf(entry: unknown): readonly string[] {
  const { sandboxID, sandbox } = (entry ?? {}) as { sandboxID?: unknown; sandbox?: unknown };
  if (sandbox !== undefined) return idOf(sandbox);
  return typeof sandboxID === 'string' ? [sandboxID] : [];
}

function parse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}
