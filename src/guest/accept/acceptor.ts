// Accepts code on threads with a deadline, so that parsing never blocks the event loop. What is accepted is in code.ts.
import type { Surface } from '../../engine/engine.ts';
import { type ErrorCode, GatewayError } from '../../errors.ts';
import { builtFile } from '../../ground/built.ts';
import { type Sender, ThreadPool } from '../../ground/thread-pool.ts';
import { type AcceptedCode, checkLength } from './code.ts';

type CodeSender = Sender & {
  /** The tool that the code was sent to. Default `write`. */
  readonly surface?: Surface;
};

export type ThreadRequest = { readonly code: string; readonly maxChars: number; readonly surface: Surface };
export type ThreadReply =
  | { readonly accepted: AcceptedCode }
  | { readonly refused: { readonly code: ErrorCode; readonly message: string } };

/** Threads that always run. More are started, up to `MAX_THREADS`, while all of them are busy. */
const THREADS = 1;
const MAX_THREADS = 6;
const MAX_WAITING = 256;
const MAX_HEAP_MB = 128;
/** Code for which the type stripper is needed. */
const TYPED = 'async (): Promise<void> => {}';

type AcceptorOptions = {
  readonly maxChars: number;
  /** How long a thread may work on one text; then the thread is replaced. */
  readonly deadlineMs?: number;
  /** See thread-time.ts. */
  readonly nice?: number;
};

export class CodeAcceptor {
  readonly #maxChars: number;
  readonly #threads: ThreadPool<ThreadRequest, ThreadReply>;

  constructor({ maxChars, deadlineMs = 1_000, nice = 0 }: AcceptorOptions) {
    this.#maxChars = maxChars;
    this.#threads = new ThreadPool({
      file: builtFile('guest/accept/thread.js'),
      threads: THREADS,
      maxThreads: MAX_THREADS,
      maxWaiting: MAX_WAITING,
      maxHeapMb: MAX_HEAP_MB,
      deadlineMs,
      nice,
      late: () =>
        new GatewayError(
          'code_syntax',
          'The code takes too long to parse. Send plain JavaScript, shorter or less deeply nested.',
        ),
      // swc traps on text that is nested too deeply, and cannot be used afterwards.
      broken: cause =>
        new GatewayError('code_syntax', 'The code does not parse: it is nested too deeply, or too large.', { cause }),
    });
  }

  /** @throws GatewayError code_invalid, code_too_large, code_syntax, busy, cancelled */
  async accept(sent: unknown, { surface = 'write', ...from }: CodeSender): Promise<AcceptedCode> {
    const maxChars = this.#maxChars;
    const reply = await this.#threads.run({ code: checkLength(sent, maxChars), maxChars, surface }, from);
    if ('accepted' in reply) return reply.accepted;
    throw new GatewayError(reply.refused.code, reply.refused.message);
  }

  /** Starts the first thread and loads the type stripper, so that the first TypeScript call is not slow. */
  async warm(): Promise<void> {
    const noCaller = { principalId: '', signal: new AbortController().signal };
    await this.#threads.run({ code: TYPED, maxChars: TYPED.length, surface: 'write' }, noCaller);
  }

  close(): Promise<void> {
    return this.#threads.close();
  }
}
