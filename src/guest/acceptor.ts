// Accepts code without ever holding up the event loop: small plain JavaScript here, TypeScript and large texts on a
// thread with a deadline. Knows no JavaScript itself.
import { Worker } from 'node:worker_threads';
import { type ErrorCode, GatewayError } from '../errors.ts';
import { type AcceptedCode, acceptCode } from './code.ts';

export type CodeAcceptor = {
  /** Rejects with GatewayError: code_invalid, code_too_large, code_syntax, busy. */
  accept(code: unknown): Promise<AcceptedCode>;
  /** Starts the thread and loads the type stripper, so that the first TypeScript call is not slow. */
  warm(): Promise<void>;
  close(): Promise<void>;
};

export type ThreadRequest = { readonly code: string; readonly maxChars: number };
export type ThreadReply =
  | { readonly ready: true }
  | { readonly accepted: AcceptedCode }
  | { readonly refused: { readonly code: ErrorCode; readonly message: string } };

/** The parser is quadratic in the names of a scope and in labels: this many characters take it 20 ms at worst. */
const INLINE_CHARS = 8192;
const MAX_WAITING = 64;

/** The thread runs from dist/: Node does not read TypeScript. */
const THREAD = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/guest/accept-thread.js' : './accept-thread.js',
  import.meta.url,
);

type Waiting = ThreadRequest & {
  readonly resolve: (accepted: AcceptedCode) => void;
  readonly reject: (error: GatewayError) => void;
};

/** `deadlineMs`: what the thread may take for one text; it is replaced when it takes longer. */
export function createCodeAcceptor({
  maxChars,
  deadlineMs = 1000,
}: {
  readonly maxChars: number;
  readonly deadlineMs?: number;
}): CodeAcceptor {
  const queue: Waiting[] = [];
  let thread: Thread | undefined;
  let busy = false;
  let closed = false;

  const next = () => {
    const job = busy ? undefined : queue.shift();
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

  return {
    async accept(code) {
      const inline = typeof code !== 'string' || code.length <= INLINE_CHARS || code.length > maxChars;
      if (inline) {
        try {
          return acceptCode(code, { maxChars });
        } catch (caught) {
          // What is no JavaScript may be TypeScript.
          if (!(caught instanceof GatewayError && caught.code === 'code_syntax')) throw caught;
        }
      }
      if (typeof code !== 'string') throw new GatewayError('code_invalid');
      if (closed) throw new GatewayError('draining');
      if (queue.length >= MAX_WAITING) throw new GatewayError('busy', undefined, { retryAfterMs: 1000 });
      return new Promise((resolve, reject) => {
        queue.push({ code, maxChars, resolve, reject });
        next();
      });
    },
    async warm() {
      if (thread === undefined || thread.dead) thread = startThread();
      await thread.ready;
    },
    async close() {
      closed = true;
      for (const job of queue.splice(0)) job.reject(new GatewayError('draining'));
      await thread?.stop();
    },
  };
}

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
    async run({ code, maxChars }, deadlineMs) {
      await ready;
      if (lost !== undefined) throw lost;
      const received = receive();
      worker.postMessage({ code, maxChars } satisfies ThreadRequest);
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
