// Accepts code without ever holding up the event loop: small plain JavaScript here, TypeScript and large texts on a
// thread with a deadline. Knows no JavaScript itself.

import { Worker } from 'node:worker_threads';
import type { Surface } from '../../engine/engine.ts';
import { type ErrorCode, GatewayError } from '../../errors.ts';
import { builtFile } from '../../ground/built.ts';
import { FairQueue } from '../../ground/fair-queue.ts';
import { type AcceptedCode, acceptCode } from './code.ts';

export type CodeAcceptor = {
  /** Rejects with GatewayError: code_invalid, code_too_large, code_syntax, busy, cancelled. */
  accept(code: unknown, from: CodeSender): Promise<AcceptedCode>;
  /** Starts the thread and loads the type stripper, so that the first TypeScript call is not slow. */
  warm(): Promise<void>;
  close(): Promise<void>;
};

/** Who waits for the thread: principals take turns, and who has left waits no more. */
export type CodeSender = {
  readonly principalId: string;
  readonly signal: AbortSignal;
  /** The tool it was sent to. Default `write`. */
  readonly surface?: Surface;
};

export type ThreadRequest = { readonly code: string; readonly maxChars: number; readonly surface: Surface };
export type ThreadReply =
  | { readonly ready: true }
  | { readonly accepted: AcceptedCode }
  | { readonly refused: { readonly code: ErrorCode; readonly message: string } };

/** The parser is quadratic in the names of a scope and in labels: this many characters take it 20 ms at worst. */
const INLINE_CHARS = 8192;
const MAX_WAITING = 256;
const MAX_WAITING_PER_PRINCIPAL = 64;

const THREAD = builtFile('guest/accept/thread.js');

type Waiting = ThreadRequest & {
  readonly resolve: (accepted: AcceptedCode) => void;
  readonly reject: (error: GatewayError) => void;
};

/** `deadlineMs`: what the thread may take for one text; it is replaced when it takes longer. */
export function createCodeAcceptor({
  maxChars,
  deadlineMs = 500,
}: {
  readonly maxChars: number;
  readonly deadlineMs?: number;
}): CodeAcceptor {
  const queue = new FairQueue<Waiting>();
  let thread: Thread | undefined;
  let busy = false;
  let closed = false;

  const next = () => {
    const job = busy ? undefined : queue.shift(any, any);
    if (job === undefined) return;
    busy = true;
    if (thread === undefined || thread.dead) thread = startThread();
    const used = thread;
    used
      .run(job, deadlineMs)
      .then(job.resolve, job.reject)
      .finally(() => {
        busy = false;
        next();
      });
  };

  /** Its turn, in the order of principals. */
  const wait = (code: string, { principalId, signal, surface = 'write' }: CodeSender): Promise<AcceptedCode> => {
    const full = queue.size >= MAX_WAITING || queue.startsOf(principalId) >= MAX_WAITING_PER_PRINCIPAL;
    if (full) throw new GatewayError('busy', undefined, { retryAfterMs: 1000 });
    return new Promise<AcceptedCode>((resolve, reject) => {
      const leave = (): void => {
        queue.remove(other => other === job);
        reject(new GatewayError('cancelled'));
      };
      const settled = (): void => signal.removeEventListener('abort', leave);
      const job: Waiting = {
        ...{ code, maxChars, surface },
        resolve: accepted => {
          settled();
          resolve(accepted);
        },
        reject: error => {
          settled();
          reject(error);
        },
      };
      if (signal.aborted) return leave();
      signal.addEventListener('abort', leave, { once: true });
      queue.pushStart(principalId, job);
      next();
    });
  };

  return {
    async accept(code, from) {
      const inline = typeof code !== 'string' || code.length <= INLINE_CHARS || code.length > maxChars;
      if (inline) {
        try {
          return acceptCode(code, { maxChars, ...(from.surface && { surface: from.surface }) });
        } catch (caught) {
          // What is no JavaScript may be TypeScript.
          if (!(caught instanceof GatewayError && caught.code === 'code_syntax')) throw caught;
        }
      }
      if (typeof code !== 'string') throw new GatewayError('code_invalid');
      if (closed) throw new GatewayError('draining');
      return wait(code, from);
    },
    async warm() {
      if (thread === undefined || thread.dead) thread = startThread();
      await thread.ready;
    },
    async close() {
      closed = true;
      for (const job of queue.remove(any)) job.reject(new GatewayError('draining'));
      await thread?.stop();
    },
  };
}

const any = (): boolean => true;

type Thread = {
  readonly ready: Promise<void>;
  readonly dead: boolean;
  run(request: ThreadRequest, deadlineMs: number): Promise<AcceptedCode>;
  stop(): Promise<void>;
};

function startThread(): Thread {
  const worker = new Worker(THREAD, { resourceLimits: { maxOldGenerationSizeMb: 128 }, stdin: false });
  worker.unref();
  let started = false;
  let lost: GatewayError | undefined;
  let answer: (reply: ThreadReply | undefined) => void = () => {};
  const receive = () => new Promise<ThreadReply | undefined>(resolve => (answer = resolve));
  const ready = receive().then(() => {
    started = lost === undefined;
  });
  const lose = (error: GatewayError) => {
    lost ??= error;
    answer(undefined);
  };
  worker.on('message', (reply: ThreadReply) => answer(reply));
  // swc traps on text that is nested too deeply, and is of no use afterwards.
  worker.on('error', cause =>
    lose(
      started
        ? new GatewayError('code_syntax', 'The code does not parse: it is nested too deeply, or too large.', { cause })
        : new GatewayError('internal', undefined, { cause }),
    ),
  );
  worker.on('exit', () => lose(new GatewayError('internal')));

  return {
    ready,
    get dead() {
      return lost !== undefined;
    },
    async run({ code, maxChars, surface }, deadlineMs) {
      await ready;
      if (lost !== undefined) throw lost;
      const received = receive();
      worker.postMessage({ code, maxChars, surface } satisfies ThreadRequest);
      const timer = setTimeout(() => {
        lose(
          new GatewayError(
            'code_syntax',
            'The code takes too long to parse. Send plain JavaScript, shorter or less deeply nested.',
          ),
        );
        void worker.terminate();
      }, deadlineMs);
      const reply = await received;
      clearTimeout(timer);
      if (reply === undefined || 'ready' in reply) throw lost ?? new GatewayError('internal');
      if ('accepted' in reply) return reply.accepted;
      throw new GatewayError(reply.refused.code, reply.refused.message);
    },
    async stop() {
      await worker.terminate();
    },
  };
}
