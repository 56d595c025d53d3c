// The thread that shapes large answers: see answer.ts for what, answers.ts for when.
import { serveThread } from '../ground/threads.ts';
import { type AnswerPlan, shapeAnswer } from './answer.ts';

export type AnswerJob = { readonly body: Uint8Array; readonly plan: AnswerPlan };

serveThread(({ body, plan }: AnswerJob) =>
  shapeAnswer(Buffer.from(body.buffer, body.byteOffset, body.length).toString(), plan),
);
