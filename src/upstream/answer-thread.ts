// The thread that shapes large answers: see answer.ts for what, answers.ts for when.
import { parentPort } from 'node:worker_threads';
import type { ThreadReady } from '../ground/thread-pool.ts';
import { ownThreadId } from '../ground/thread-time.ts';
import { type AnswerPlan, type ShapedAnswer, shapeAnswer } from './answer.ts';

export type AnswerJob = { readonly body: Uint8Array; readonly plan: AnswerPlan };
/** `ms`: how long this thread worked for it. */
export type AnswerDone = { readonly shaped: ShapedAnswer; readonly ms: number };
export type AnswerReply = ThreadReady | AnswerDone;

const reply = (message: AnswerReply) => parentPort?.postMessage(message);

parentPort?.on('message', ({ body, plan }: AnswerJob) => {
  const startedAt = performance.now();
  const shaped = shapeAnswer(Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8'), plan);
  reply({ shaped, ms: performance.now() - startedAt });
});
reply({ ready: true, threadId: ownThreadId() });
