// Turns the outcome of a run into MCP content blocks. Text from the run goes inside the envelope, and the gateway's own
// hints follow it. Pure; knows no transport.
import type { LedgerEntry } from '../../broker/ledger.ts';
import type { Completed, Display, Failed, GuestError, Surface } from '../../engine/engine.ts';
import { ERRORS, type ErrorCode, type GatewayError } from '../../errors.ts';
import { type Base64, base64Text, decodedBytes } from '../../ground/base64.ts';
import { type AcceptedCode, acceptedFrom, type CodeAsWritten } from '../../guest/accept/code.ts';
import { explainError } from '../../guest/explain/explain.ts';
import { explainNote } from '../../guest/explain/note.ts';
import { GLOBALS } from '../../guest/globals.ts';
import { wrapUntrusted } from './envelope.ts';
import { whereItHung } from './hung.ts';
import { ledgerHints, stillRunning } from './ledger-hints.ts';
import { ledgerLines, ledgerText } from './ledger-text.ts';
import { knownMediaType } from './media-types.ts';
import { truncateJson, truncateLog } from './truncate.ts';
import { visible } from './visible.ts';

/** The types of MCP content that a result can have. `Data`: the form of base64. */
export type ContentBlock<Data = Base64> =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image'; readonly data: Data; readonly mimeType: string }
  | {
      readonly type: 'resource';
      readonly resource: { readonly uri: string; readonly mimeType: string; readonly blob: Data };
    };

export type Formatted<Data = Base64> = { readonly content: ContentBlock<Data>[]; readonly isError: boolean };

/** Maximum characters of the result, and of each of stdout and stderr, in a response. */
export type ResponseLimits = { readonly maxResultChars: number; readonly maxLogChars: number };

export type Run = {
  readonly outcome: Completed | Failed;
  readonly ledger: readonly LedgerEntry[];
  readonly code: AcceptedCode | CodeAsWritten;
  readonly surface: Surface;
  readonly requestId: string;
  readonly limits: ResponseLimits;
};

/** `data` goes inside the envelope, `hints` follow it. */
type Parts = { readonly data: string[]; readonly hints: string[] };

export function formatOutcome(run: Run): Formatted {
  const { outcome, ledger, surface, limits } = run;
  const failed = outcome.status === 'failed';
  const response: Parts = { data: [], hints: [] };
  if (failed) addError(response, outcome.error, run);
  else addResult(response, outcome, run);
  addLogs(response, outcome, limits);
  const { texts, blocks } = showDisplays(outcome.displays);
  if (texts.length > 0) response.data.push(`display:\n${truncateLog(texts.join('\n'), limits.maxResultChars).text}`);
  if (ledger.length > 0)
    response.data.push(failed ? `calls:\n${ledgerLines(ledger).join('\n')}` : ledgerText(ledger, outcome.durationMs));
  const nowMs = Date.now();
  const left = stillRunning(ledger, nowMs);
  if (left !== undefined) response.data.push(left);
  response.hints.push(...ledgerHints(ledger, nowMs, failed ? outcome.error.message : ''));

  const data = visible(response.data.join('\n\n'));
  const wrapped = surface === 'search' || data === '' ? data : wrapUntrusted(data);
  const text = [wrapped, ...response.hints].filter(part => part !== '').join('\n');
  return { content: [{ type: 'text', text }, ...blocks], isError: failed };
}

/** Formats an error from before or around the run: refused code, an overloaded gateway, anything that was caught. */
export function formatFault(error: GatewayError, requestId: string): Formatted<never> {
  const text =
    error.fault === 'gateway'
      ? gatewayFault(error.code, requestId, error.retryAfterMs)
      : `${error.code}: ${error.message}`;
  return { content: [{ type: 'text', text }], isError: true };
}

/** Shows the registry's sentence only, because the message of the error may contain internal details. */
function gatewayFault(code: ErrorCode, requestId: string, retryAfterMs: number | undefined): string {
  const wait = retryAfterMs === undefined ? '' : ` Retry after ${Math.max(1, Math.ceil(retryAfterMs / 1000))} s.`;
  return `The gateway is at fault (${code}): ${ERRORS[code].message}${wait} Request id: ${requestId}`;
}

function addError(response: Parts, error: GuestError, { code, ledger, surface, requestId }: Run): void {
  if (error.code !== undefined && ERRORS[error.code].fault === 'gateway') {
    response.hints.push(gatewayFault(error.code, requestId, error.retryAfterMs));
    return;
  }
  const { name, message, line, column, sourceLine, hint } = explainError(error, {
    code: acceptedFrom(code),
    surface,
    globals: GLOBALS[surface],
  });
  const coded = error.code === undefined ? name : `${name} (${error.code})`;
  const place =
    line === undefined
      ? ''
      : `\n  at line ${line}${column === undefined ? '' : `, column ${column}`}: ${sourceLine ?? ''}`;
  response.data.push(`${coded}: ${message}${place}`);
  const note = explainNote(error);
  if (note !== undefined) response.data.push(`note: ${note}`);
  if (error.code === 'time_exceeded' || error.code === 'cpu_exceeded')
    response.data.push(...whereItHung(code.text, ledger));
  if (error.retryAfterMs !== undefined)
    response.hints.push(`Retry after ${Math.max(1, Math.ceil(error.retryAfterMs / 1000))} s.`);
  if (hint !== undefined) response.hints.push(`Hint: ${hint}`);
}

function addResult(response: Parts, outcome: Completed, { code, limits, ledger }: Run): void {
  const result = truncateJson(outcome.json, limits.maxResultChars);
  response.data.push(readable(result.text));
  const ranCode = ledger.some(({ label }) => label.startsWith('Sandbox.runCode'));
  const note = explainNote({
    note: outcome.note,
    json: outcome.json,
    stdout: outcome.stdout,
    ranCode,
    text: code.text,
  });
  if (note !== undefined) response.data.push(`note: ${note}`);
  if (result.note !== undefined) response.hints.push(result.note);
}

/**
 * Shows a string without JSON quoting, which models read better and which takes fewer tokens. One line stays quoted if
 * it could be mistaken for another value, or if it begins or ends with white space.
 */
function readable(json: string): string {
  if (!json.startsWith('"')) return json;
  const text = JSON.parse(json) as string;
  if (text.trim() === '') return json;
  if (text.includes('\n')) return text;
  return text !== text.trim() || LOOKS_LIKE_JSON.test(text) ? json : text;
}

const LOOKS_LIKE_JSON = /^(?:null|true|false|undefined|NaN|-?\d[\d.eE+-]*|".*")$/s;

function addLogs(response: Parts, outcome: Run['outcome'], limits: ResponseLimits): void {
  for (const name of ['stdout', 'stderr'] as const) {
    const log = outcome[name].trimEnd();
    if (log !== '') response.data.push(`${name}:\n${truncateLog(log, limits.maxLogChars).text}`);
  }
  if (outcome.droppedLogChars > 0) {
    response.data.push(`(${outcome.droppedLogChars.toLocaleString('en-US')} more characters were logged and dropped)`);
  }
}

/** Image types that models can see, recognized by their first bytes: clients refuse a result with an invalid image. */
const IMAGES: readonly (readonly [string, string])[] = [
  ['iVBORw0KGgo', 'image/png'],
  ['/9j/', 'image/jpeg'],
  ['R0lGOD', 'image/gif'],
  ['UklGR', 'image/webp'],
];

const IMAGE_CHARS = 12;
const MIME_TYPE = /^[\w.+-]{1,60}\/[\w.+-]{1,100}$/;

export function showDisplays(displays: readonly Display[]): { texts: string[]; blocks: ContentBlock[] } {
  const texts: string[] = [];
  const blocks: ContentBlock[] = [];
  for (const [at, display] of displays.entries()) {
    if (display.kind === 'text') {
      texts.push(display.text);
      continue;
    }
    const { base64 } = display;
    const mimeType = MIME_TYPE.test(display.mimeType) ? display.mimeType : 'application/octet-stream';
    const beginning = base64Text(base64, IMAGE_CHARS);
    const image = IMAGES.find(([start]) => beginning.startsWith(start))?.[1];
    if (image !== undefined) blocks.push({ type: 'image', data: base64, mimeType: image });
    else {
      texts.push(`(${mimeType}, ${decodedBytes(base64).toLocaleString('en-US')} bytes, attached)`);
      blocks.push({
        type: 'resource',
        resource: { uri: `display:///${at + 1}`, mimeType: knownMediaType(mimeType), blob: base64 },
      });
    }
  }
  return { texts, blocks };
}
