// Entry point of the acceptor's threads: runs acceptCode with the type stripper. The thread pool enforces the deadline.
import { GatewayError } from '../../errors.ts';
import { replyBy } from '../../ground/pool-thread.ts';
import type { ThreadReply, ThreadRequest } from './acceptor.ts';
import { acceptCode } from './code.ts';
import { stripTypes } from './typescript.ts';

replyBy(({ code, ...options }: ThreadRequest): ThreadReply => {
  try {
    return { accepted: acceptCode(code, { ...options, stripTypes }) };
  } catch (caught) {
    // Any other error ends the thread, because the stripper may be broken.
    if (!(caught instanceof GatewayError)) throw caught;
    return { refused: { code: caught.code, message: caught.message } };
  }
});
