// Entry point of the acceptor's threads: runs acceptCode with the type stripper. The thread pool enforces the deadline.
import { parentPort } from 'node:worker_threads';
import { GatewayError } from '../../errors.ts';
import { ownThreadId } from '../../ground/thread-time.ts';
import type { ThreadReply, ThreadRequest } from './acceptor.ts';
import { acceptCode } from './code.ts';
import { stripTypes } from './typescript.ts';

const reply = (message: ThreadReply) => parentPort?.postMessage(message);

parentPort?.on('message', ({ code, maxChars, surface }: ThreadRequest) => {
  try {
    if (code === undefined) {
      stripTypes('const warm: number = 1; async (): Promise<void> => {}');
      return reply({ ready: true });
    }
    reply({ accepted: acceptCode(code, { maxChars, stripTypes, surface }) });
  } catch (caught) {
    // Any other error ends the thread, because the stripper may be broken.
    if (!(caught instanceof GatewayError)) throw caught;
    reply({ refused: { code: caught.code, message: caught.message } });
  }
});

reply({ ready: true, threadId: ownThreadId() });
