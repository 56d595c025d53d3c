// The messages between a guest and its host, on every engine: kinds, payloads, and the host's checks of them. Also bundled
// into the prelude, so it must not import Node modules.
import { type Base64, base64In } from '../ground/base64.ts';
import type { JsonText } from '../ground/json-text.ts';
import type { Display, GuestReply, Limits } from './engine.ts';

/** Guest to host: `send(kind, id, payload)`. `id` is that of the call or timer, or 0. */
export const KIND = {
  /** payload: `capability` + "\n" + arguments as JSON. The reply is a SETTLE. */
  call: 0,
  /** payload: milliseconds. The reply is SETTLE.fired. */
  timer: 1,
  /** Clears the timer `id`. */
  clear: 2,
  /** The run is over. payload: a note of `id` characters, then the result as JSON text. */
  done: 3,
  /** The run is over. payload: FailedPayload as JSON text. */
  failed: 4,
  /** `id` 1: stdout, 2: stderr. payload: text. */
  log: 5,
  /** payload: text; or a media type of `id` characters, then base64. Not JSON, because a block may be megabytes. */
  display: 6,
  /** payload: a number of bytes. Immediate reply: that many random bytes as hex. */
  random: 7,
  /** `id`: number of log characters that the guest dropped. */
  dropped: 8,
  /** payload: see quickjs/intl/answer.ts. Immediate reply; only from an engine whose JavaScript has no Intl. */
  intl: 9,
} as const;

/**
 * Host to guest: `settle(id, how, payload)`. An event does not settle its call, and may also come after the call has
 * settled: output of a command in the background.
 */
export const SETTLE = { rejected: 0, fulfilled: 1, fired: 2, event: 3 } as const;
export type Settle = (typeof SETTLE)[keyof typeof SETTLE];

export const STDOUT = 1;
export const STDERR = 2;

/** `json` is the result as JSON; `note` says something that the agent may not expect. */
export type DonePayload = { readonly json: string; readonly note?: string };

/** An error as the guest reports it. Every field is untrusted; their lengths are limited here. */
export type FailedPayload = {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string;
  /** As in DonePayload. */
  readonly note?: string;
};

/** The limits that the guest knows, so that it can refuse a large text before sending it. The host checks them again. */
export type GuestLimits = Pick<
  Limits,
  'maxResultChars' | 'maxLogChars' | 'maxCallChars' | 'maxPendingCalls' | 'maxDisplayBytes'
>;

/** The file name of the agent's code in stacks. */
export const CODE_FILE = 'code.js';

/** The message of the error of `import(name)`, `import … from` and `require`. */
export const IMPORT_MESSAGE =
  'There are no modules here: api, Sandbox and display are globals, and so are URL, Buffer, TextEncoder, crypto.randomUUID and structuredClone.';

/** Maximum number of calls and timers in a run, far above what real code makes; protects the host from floods. */
export const MAX_CROSSINGS = 5_000;
/** Maximum number of blocks that a run may display. */
export const MAX_DISPLAYS = 200;
export const MAX_ERROR_CHARS = 8_000;
const MAX_STACK_CHARS = 4_000;
const MAX_NAME_CHARS = 200;
const MAX_CAPABILITY_CHARS = 100;

export function guestLimits(limits: Limits): GuestLimits {
  const { maxResultChars, maxLogChars, maxCallChars, maxPendingCalls, maxDisplayBytes } = limits;
  return { maxResultChars, maxLogChars, maxCallChars, maxPendingCalls, maxDisplayBytes };
}

/** Thrown for a message that an unmodified prelude never sends. The run ends as failed. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

export function parseCall(payload: string): { capability: string; argsJson: string } {
  const end = payload.indexOf('\n');
  if (end < 1 || end > MAX_CAPABILITY_CHARS) throw new ProtocolError('call without a capability');
  return { capability: payload.slice(0, end), argsJson: payload.slice(end + 1) };
}

/** The JSON of the result is not checked. */
export function parseDone(noteChars: number, payload: string): DonePayload {
  if (!Number.isSafeInteger(noteChars) || noteChars < 0) throw new ProtocolError('done without a result');
  const json = payload.slice(noteChars);
  return noteChars === 0 ? { json } : { json, note: payload.slice(0, Math.min(noteChars, MAX_ERROR_CHARS)) };
}

export function parseFailed(payload: string): FailedPayload {
  const { name, message, stack, code, note } = parseRecord(payload);
  return {
    name: typeof name === 'string' && name !== '' ? name.slice(0, MAX_NAME_CHARS) : 'Error',
    message: typeof message === 'string' ? message.slice(0, MAX_ERROR_CHARS) : '',
    ...(typeof stack === 'string' ? { stack: stack.slice(0, MAX_STACK_CHARS) } : {}),
    ...(typeof code === 'string' ? { code: code.slice(0, MAX_NAME_CHARS) } : {}),
    ...(typeof note === 'string' && note !== '' ? { note: note.slice(0, MAX_ERROR_CHARS) } : {}),
  };
}

const MIME_TYPE = /^[a-z0-9.+-]{1,60}\/[a-z0-9.+-]{1,100}$/i;

/** `payload`: UTF-8. Nothing of the result refers to its memory, unless `isChecked`: it is known to end with base64. */
export function parseDisplay(typeChars: number, payload: Buffer, isChecked = false): Display {
  if (typeChars === 0) return { kind: 'text', text: payload.toString('utf8') };
  if (!Number.isSafeInteger(typeChars) || typeChars < 0) throw new ProtocolError('display of an unknown kind');
  const mimeType = payload.toString('latin1', 0, typeChars);
  const characters = payload.subarray(typeChars);
  const base64 = isChecked ? (characters as Uint8Array as Base64) : base64In(characters);
  if (!MIME_TYPE.test(mimeType) || base64 === undefined) throw new ProtocolError('display with a malformed block');
  return { kind: 'blob', mimeType, base64 };
}

export function displayBytes(display: Display): number {
  return display.kind === 'blob' ? display.mimeType.length + display.base64.length : display.text.length;
}

/** A reply as the payload of SETTLE. */
export function settlePayload(reply: GuestReply): { how: Settle; payload: JsonText } {
  return reply.ok
    ? { how: SETTLE.fulfilled, payload: reply.json }
    : { how: SETTLE.rejected, payload: JSON.stringify(reply.error) };
}

function parseRecord(payload: string): Record<string, unknown> {
  const value: unknown = JSON.parse(payload);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ProtocolError('payload is not an object');
  return value as Record<string, unknown>;
}
