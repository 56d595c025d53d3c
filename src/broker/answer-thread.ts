// Entry of the threads that prepare large texts for a run. answers.ts starts them.
import { buffersOf } from '../ground/json-text.ts';
import { replyBy } from '../ground/pool-thread.ts';
import { doJob, type Job, movedPart } from './answer-job.ts';

replyBy((job: Job, moved) => {
  const done = doJob(job, json => {
    const part = movedPart(json);
    moved.push(...buffersOf(part));
    return part;
  });
  if (done.value instanceof Uint8Array && moved.length === 0) moved.push(...buffersOf(done.value));
  return done;
});
