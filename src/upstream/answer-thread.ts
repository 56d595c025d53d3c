// Entry of the threads that shape large responses and mask large texts. answer.ts has the work, answers.ts starts it.
import { parentPort } from 'node:worker_threads';
import type { ThreadReady } from '../ground/thread-pool.ts';
import { ownThreadId } from '../ground/thread-time.ts';
import { type AnswerPlan, type ShapedAnswer, shapeAnswer } from './answer.ts';
import { maskKey } from './key-spellings.ts';

export type AnswerJob =
  | { readonly body: Uint8Array; readonly plan: AnswerPlan }
  | { readonly text: string; readonly apiKey: string };
/** `ms`: how long this thread worked on it. */
export type AnswerDone = { readonly shaped: ShapedAnswer; readonly ms: number };
export type MaskDone = { readonly masked: string; readonly ms: number };
export type AnswerReply = ThreadReady | AnswerDone | MaskDone;

const reply = (message: AnswerReply) => parentPort?.postMessage(message);

const act = (job: AnswerJob) => {
  if ('text' in job) return { masked: maskKey(job.text, job.apiKey) };
  const { body, plan } = job;
  return { shaped: shapeAnswer(Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8'), plan) };
};

parentPort?.on('message', (job: AnswerJob) => {
  const startedAt = performance.now();
  reply({ ...act(job), ms: performance.now() - startedAt });
});
reply({ ready: true, threadId: ownThreadId() });
