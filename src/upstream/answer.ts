// Prepares the body of a response for a guest: parses it once, finds the ids of new sandboxes, removes what belongs to
// the gateway, masks secrets, and serializes it again only if something changed. Pure; large bodies are processed on a
// thread.
import { tryParseJson } from '../ground/json.ts';
import { omitUndefined } from '../ground/omit-undefined.ts';
import { maskKey } from './key-spellings.ts';
import { maskSecrets, mayHoldSecret, type Place } from './redact.ts';

export type AnswerPlan = {
  readonly apiKey: string;
  /** Places of secrets according to the description. */
  readonly secrets?: Place | undefined;
  /** Sandboxes with this key in their metadata are removed from lists. */
  readonly hiddenMetadataKey?: string | undefined;
  /** This key is removed from metadata: the gateway's own mark, which agents do not need. */
  readonly ownMetadataKey?: string | undefined;
  /** Whether the response may contain ids of new sandboxes. */
  readonly findMade?: boolean | undefined;
};

export type ShapedAnswer = {
  /** JSON text for the guest: unchanged if possible; a JSON string for a body that is not JSON; `null` if empty. */
  readonly json: string;
  readonly made: readonly string[];
  /** How many list entries are left, and how many were removed; undefined if the response is not a list to filter. */
  readonly listed?: { readonly shown: number; readonly hidden: number };
};

export function shapeAnswer(text: string, plan: AnswerPlan): ShapedAnswer {
  if (text.trim() === '') return { json: 'null', made: [] };
  const keyless = maskKey(text, plan.apiKey);
  const parsed = tryParseJson(keyless);
  if (parsed === undefined) return { json: JSON.stringify(keyless), made: [] };
  const made = plan.findMade === true ? [parsed].flat().flatMap(idOf) : [];
  const { value, listed } = withoutHidden(parsed, plan.hiddenMetadataKey);
  const marked = plan.ownMetadataKey !== undefined && keyless.includes(`"${plan.ownMetadataKey}"`);
  if (marked) dropMetadata(value, plan.ownMetadataKey);
  const untouched = !marked && plan.secrets === undefined && !mayHoldSecret(keyless) && (listed?.hidden ?? 0) === 0;
  // Masked again, because serializing turns a key that was written with escapes into plain characters.
  const json = untouched ? keyless : maskKey(JSON.stringify(maskSecrets(value, plan.secrets)), plan.apiKey);
  return { json, made, ...omitUndefined({ listed }) };
}

/** `sandbox`: an entry of any listing. */
export function hasMetadata(sandbox: unknown, key: string): boolean {
  if (typeof sandbox !== 'object' || sandbox === null) return false;
  const { metadata } = sandbox as { metadata?: unknown };
  return typeof metadata === 'object' && metadata !== null && Object.hasOwn(metadata, key);
}

/** `value`: a sandbox or a list of sandboxes. */
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

/** `entry`: a sandbox, or an entry of a fork's response. */
function idOf(entry: unknown): readonly string[] {
  const { sandboxID, sandbox } = (entry ?? {}) as { sandboxID?: unknown; sandbox?: unknown };
  if (sandbox !== undefined) return idOf(sandbox);
  return typeof sandboxID === 'string' ? [sandboxID] : [];
}
