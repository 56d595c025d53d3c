// A thread of the acceptor: acceptCode with the type stripper. Knows only messages; its deadline is the host's.
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
    // Anything else ends the thread: the stripper may be broken.
    if (!(caught instanceof GatewayError)) throw caught;
    reply({ refused: { code: caught.code, message: caught.message } });
  }
});

reply({ ready: true, threadId: ownThreadId() });
