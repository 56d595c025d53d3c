// Entry of the threads that shape large responses and mask large texts. answers.ts starts them.
import { replyBy } from '../ground/pool-thread.ts';
import { doJob } from './answer-job.ts';

replyBy(doJob);
