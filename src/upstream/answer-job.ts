// The work on what a run receives, which is done on the main thread or on another (answers.ts). Pure.
import { type AnswerPlan, type ShapedAnswer, shapeAnswer } from './answer.ts';
import { maskKey } from './key-spellings.ts';

/**
 * Shapes a response for a guest, or masks the caller's key in a text. `isValue`: the text is a string value, and the result
 * is its JSON, because escapes of JSON could spell a key.
 */
export type Job =
  | { readonly body: Uint8Array; readonly plan: AnswerPlan }
  | { readonly text: string; readonly apiKey: string; readonly isValue: boolean };
/** `ms`: how long the work took. */
export type AnswerDone = { readonly shaped: ShapedAnswer; readonly ms: number };
export type MaskDone = { readonly masked: string; readonly ms: number };

export function doJob(job: Job): AnswerDone | MaskDone {
  const startedAt = performance.now();
  const done = 'text' in job ? { masked: masked(job) } : { shaped: shape(job.body, job.plan) };
  return { ...done, ms: performance.now() - startedAt };
}

const masked = ({ text, apiKey, isValue }: Extract<Job, { text: string }>): string =>
  maskKey(isValue ? JSON.stringify(text) : text, apiKey);

const shape = ({ buffer, byteOffset, length }: Uint8Array, plan: AnswerPlan): ShapedAnswer =>
  shapeAnswer(Buffer.from(buffer, byteOffset, length).toString('utf8'), plan);
