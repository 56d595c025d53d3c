// Reads one event of the code interpreter: a line of JSON. Large lines are read on another thread (../answers.ts). Pure.
import { tryParseJson } from '../../ground/json.ts';
import { type JsonLimits, judgeJson } from '../../ground/json-size.ts';
import type { JsonPart } from '../../ground/json-text.ts';
import { maskKey } from '../../upstream/key-spellings.ts';
import { detailOf, type Ended } from '../ledger.ts';
import { maskTokens, type Secrets } from './tokens.ts';

/** JSON parts hold no key and no token. Printed text may still hold the key, because it may continue in the next event. */
export type ReadEvent =
  | { readonly kind: 'print'; readonly stream: 'stdout' | 'stderr'; readonly text: string }
  /** `bytes`: of the line or of the JSON, whichever is more. `text`: JSON of the main result's text, if it has one. */
  | { readonly kind: 'result'; readonly json: JsonPart; readonly bytes: number; readonly main?: { text?: JsonPart } }
  | { readonly kind: 'error'; readonly json: JsonPart; readonly ended: Ended }
  | { readonly kind: 'count'; readonly executionCount: number }
  | { readonly kind: 'ignored' | 'too complex' | 'not an event' };

/** Limits of an event that is parsed. */
export const EVENT_LIMITS: JsonLimits = {
  maxBytes: Number.POSITIVE_INFINITY, // counted over all events
  maxValues: 100_000,
  maxKeys: 100_000,
  maxDepth: 200,
  maxKeyBytes: 100_000,
};

/** Fields of a result event that are not formats of the result. */
const NOT_FORMATS = new Set(['type', 'is_main_result', 'extra']);

type Event = Readonly<Record<string, unknown>>;
type CodeError = { readonly name: string; readonly value: string; readonly traceback: string };
type MakePart = (json: string) => JsonPart;

export function readEvent(line: string, { apiKey, tokens }: Secrets, makePart: MakePart = json => json): ReadEvent {
  if (line.trim() === '') return { kind: 'ignored' };
  const masked = maskTokens(line, tokens);
  const verdict = judgeJson(masked, EVENT_LIMITS);
  if (!verdict.fits) return { kind: 'too complex' };
  const event = tryParseJson(masked);
  if (typeof event !== 'object' || event === null) return { kind: 'not an event' };
  const { type, text, execution_count: executionCount } = event as Event;
  const toJson = (value: unknown) => maskKey(JSON.stringify(value), apiKey);
  if (type === 'stdout' || type === 'stderr') return { kind: 'print', stream: type, text: String(text ?? '') };
  if (type === 'result') return resultOf(event as Event, verdict.size.bytes, toJson, makePart);
  if (type === 'error') {
    const error = errorOf(event as Event);
    return { kind: 'error', json: makePart(toJson(error)), ended: endedBy(error, apiKey) };
  }
  if (type === 'number_of_executions' && typeof executionCount === 'number') return { kind: 'count', executionCount };
  return { kind: 'ignored' };
}

function resultOf(event: Event, lineBytes: number, toJson: (value: unknown) => string, makePart: MakePart): ReadEvent {
  const formats = Object.entries(event).filter(([name, value]) => !NOT_FORMATS.has(name) && value !== null);
  const extra = typeof event.extra === 'object' && event.extra !== null ? event.extra : {};
  const isMainResult = event.is_main_result === true;
  const result: Record<string, unknown> = { ...Object.fromEntries(formats), ...extra, isMainResult };
  const json = toJson(result);
  // The new JSON can be longer than the line: 1e20 becomes 21 digits.
  const read = { kind: 'result', bytes: Math.max(lineBytes, Buffer.byteLength(json)), json: makePart(json) } as const;
  if (!isMainResult) return read;
  return { ...read, main: typeof result.text === 'string' ? { text: makePart(toJson(result.text)) } : {} };
}

const errorOf = ({ name, value, traceback }: Event): CodeError => ({
  name: String(name ?? 'Error'),
  value: String(value ?? ''),
  traceback: String(traceback ?? ''),
});

/** For the ledger. */
export function endedBy({ name, value }: CodeError, apiKey: string): Ended {
  return { error: plainName(maskKey(name, apiKey)), ...detailOf(maskKey(value, apiKey)) };
}

/** The sandbox chose the name, so it is shortened and reduced to the characters of identifiers. */
const plainName = (name: string) => name.replace(/[^\w.]/g, '').slice(0, 60) || 'Error';
