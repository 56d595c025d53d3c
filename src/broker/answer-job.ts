// The work on what a run receives, which is done on the main thread or on another (answers.ts). Pure.
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { isBase64 } from '../ground/base64.ts';
import { checkedText } from '../ground/json-check.ts';
import { bufferOf, type JsonPart, type Pieces, type Utf8, utf8Of, wholeText } from '../ground/json-text.ts';
import { type AnswerPlan, type ShapedAnswer, shapeAnswer } from '../upstream/answer.ts';
import { maskKey } from '../upstream/key-spellings.ts';
import { type ReadEvent, readEvent } from './e2b/read-event.ts';
import { maskBytes, type Secrets } from './e2b/tokens.ts';

/** A response as the guest gets it. */
export type PreparedAnswer = Omit<ShapedAnswer, 'json'> & { readonly json: JsonPart };

/**
 * The form in which the caller's key is masked: `json` is JSON text; `string` is the text of a string value, and
 * `base64` bytes that become base64, of which the result is the JSON, because escapes of JSON could spell a key.
 */
export type MaskForm = 'json' | 'string' | 'base64';

/**
 * `text` masks text of any form; its result is always a string. `result` and `base64` check what a microVM returns and
 * displays. `deflate` and `inflate` are for the state of a run that waits for approval.
 */
export type Job =
  | { readonly kind: 'answer'; readonly body: Utf8; readonly plan: AnswerPlan }
  | { readonly kind: 'text'; readonly text: string; readonly apiKey: string }
  | { readonly kind: 'mask'; readonly value: string | Pieces; readonly form: MaskForm; readonly secrets: Secrets }
  | { readonly kind: 'event'; readonly line: Pieces; readonly secrets: Secrets }
  | { readonly kind: 'result'; readonly bytes: Utf8; readonly noteChars: number }
  | { readonly kind: 'base64'; readonly bytes: Utf8; readonly start: number }
  | { readonly kind: 'deflate'; readonly bytes: Utf8 }
  | { readonly kind: 'inflate'; readonly bytes: Utf8; readonly maxBytes: number };

export type Results = {
  readonly answer: PreparedAnswer;
  readonly text: string;
  readonly mask: JsonPart;
  readonly event: ReadEvent;
  /** Undefined if what follows the note is not JSON. */
  readonly result: string | undefined;
  /** The same bytes. Undefined if they are not base64 from `start` on. */
  readonly base64: Utf8 | undefined;
  readonly deflate: Utf8;
  /** Undefined if the bytes are not compressed, or more than `maxBytes` were. */
  readonly inflate: Utf8 | undefined;
};

/** `ms`: how long the work took. */
export type Done<Kind extends keyof Results = keyof Results> = { readonly value: Results[Kind]; readonly ms: number };

/** `makePart`: converts JSON to the form in which it is passed on. */
export function doJob(job: Job, makePart: (json: string) => JsonPart = json => json): Done {
  const startedAt = performance.now();
  const value = resultOf(job, makePart);
  return { value, ms: performance.now() - startedAt };
}

function resultOf(job: Job, makePart: (json: string) => JsonPart): Results[keyof Results] {
  switch (job.kind) {
    case 'answer': {
      const shaped = shapeAnswer(wholeText(job.body), job.plan);
      return { ...shaped, json: makePart(shaped.json) };
    }
    case 'text':
      return maskKey(job.text, job.apiKey);
    case 'mask':
      return makePart(maskKey(jsonIn(job), job.secrets.apiKey));
    case 'event':
      return readEvent(bufferOf(job.line).toString('utf8'), job.secrets, makePart);
    case 'result':
      return checkedText(job.bytes, job.noteChars);
    case 'base64':
      return isBase64(job.bytes.subarray(job.start)) ? job.bytes : undefined;
    case 'deflate':
      return new Uint8Array(deflateRawSync(job.bytes));
    case 'inflate':
      return inflated(job.bytes, job.maxBytes);
  }
}

function inflated(bytes: Utf8, maxOutputLength: number): Utf8 | undefined {
  try {
    return new Uint8Array(inflateRawSync(bytes, { maxOutputLength }));
  } catch {
    return undefined;
  }
}

function jsonIn({ value, form, secrets }: Extract<Job, { kind: 'mask' }>): string {
  if (form === 'base64') {
    const bytes = typeof value === 'string' ? Buffer.from(value) : bufferOf(value);
    return JSON.stringify(maskBytes(bytes, secrets.tokens).toString('base64'));
  }
  const text = typeof value === 'string' ? value : bufferOf(value).toString('utf8');
  return form === 'json' ? text : JSON.stringify(text);
}

/** Bytes, unless the text is short. */
export const movedPart = (json: string): JsonPart => (json.length > SHORT_CHARS ? utf8Of(json) : json);

/** Text up to this length is copied as fast as a buffer is moved. */
const SHORT_CHARS = 4_096;
