// The work on what a run receives, which is done on the main thread or on another (answers.ts). Pure.
import { type AnswerPlan, type ShapedAnswer, shapeAnswer } from './answer.ts';
import { maskKey } from './key-spellings.ts';

/** Shapes a response for a guest, or masks the caller's key in a text. */
export type Job =
  | { readonly body: Uint8Array; readonly plan: AnswerPlan }
  | { readonly text: string; readonly apiKey: string };
/** `ms`: how long the work took. */
export type AnswerDone = { readonly shaped: ShapedAnswer; readonly ms: number };
export type MaskDone = { readonly masked: string; readonly ms: number };

export function doJob(job: Job): AnswerDone | MaskDone {
  const startedAt = performance.now();
  const done = 'text' in job ? { masked: maskKey(job.text, job.apiKey) } : { shaped: shape(job.body, job.plan) };
  return { ...done, ms: performance.now() - startedAt };
}

const shape = ({ buffer, byteOffset, length }: Uint8Array, plan: AnswerPlan): ShapedAnswer =>
  shapeAnswer(Buffer.from(buffer, byteOffset, length).toString('utf8'), plan);
