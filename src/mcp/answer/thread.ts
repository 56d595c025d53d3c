// Entry of the formatter's threads: formats one outcome per message. The pool ends the thread at its deadline.
import { parentPort } from 'node:worker_threads';
import { ownThreadId } from '../../ground/thread-time.ts';
import { formatOutcome, type Run } from './format.ts';
import type { ThreadReply } from './formatter.ts';

const reply = (message: ThreadReply) => parentPort?.postMessage(message);

parentPort?.on('message', (run: Run) => reply({ formatted: formatOutcome(run) }));
reply({ ready: true, threadId: ownThreadId() });
