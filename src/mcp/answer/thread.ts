// Entry of the formatter's threads: formats one outcome per message. The pool ends the thread at its deadline.
import { replyBy } from '../../ground/pool-thread.ts';
import { formatOutcome } from './format.ts';

replyBy(formatOutcome);
