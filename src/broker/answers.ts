// Prepares what a run receives: shapes responses, masks keys, reads events of sandboxes. Also checks what a microVM returns,
// and compresses the replies of a run that waits for approval. Small data is processed on the main thread, large data on
// other threads, so that other callers do not have to wait.
import { GatewayError } from '../errors.ts';
import { builtFile } from '../ground/built.ts';
import { buffersOf, type Pieces, sizeOf, type Utf8 } from '../ground/json-text.ts';
import { Activity, Pace, type PaceLimits } from '../ground/pace.ts';
import { type Sender, ThreadPool } from '../ground/thread-pool.ts';
import type { AnswerPlan } from '../upstream/answer.ts';
import type { UpstreamAnswer } from '../upstream/client.ts';
import { type Done, doJob, type Job, type MaskForm, type Results } from './answer-job.ts';
import type { Secrets } from './e2b/tokens.ts';

/** The main thread prepares such a text in about a millisecond. */
const SMALL_VALUES = 1_000;
export const SMALL_BYTES = 32_768;

/**
 * Less than for the main thread, because the work here causes more elsewhere: collections of garbage, and memory that
 * replies need in the guest. A tenth of a thread reads about 40 MB of files in a second.
 */
const PACE: PaceLimits = {
  own: { share: 0.02, creditMs: 2, maxDebtMs: 10 },
  heavy: { share: 0.1, creditMs: 0.5, maxDebtMs: 25 },
};

/** The key to mask, and the caller who waits. */
export type MaskFor = Sender & { readonly apiKey: string };

export class Answers {
  readonly #threads: ThreadPool<Job, Done>;

  /** `nice`: see ground/thread-time.ts. `activity`: see ground/pace.ts. */
  constructor({ nice = 0, activity = new Activity() } = {}) {
    this.#threads = new ThreadPool({
      file: builtFile('broker/answer-thread.js'),
      threads: 1,
      maxThreads: 4,
      // What has arrived is never refused: the call may have changed something. Each run has few calls at once.
      maxWaiting: Number.POSITIVE_INFINITY,
      maxHeapMb: 192,
      deadlineMs: 10_000,
      nice,
      pace: new Pace(activity, PACE),
      late: () => tooMuch('takes too long to read'),
      broken: cause => tooMuch('takes too much memory to read', cause),
    });
  }

  /** `body` must not be used afterwards. @throws GatewayError `answer_too_large`, `cancelled` */
  shape(
    { body, size }: Pick<UpstreamAnswer, 'body' | 'size'>,
    plan: AnswerPlan,
    from: Sender,
  ): Promise<Done<'answer'>> {
    const isSmall = body.length <= SMALL_BYTES && (size?.values ?? 0) <= SMALL_VALUES;
    return this.#do({ kind: 'answer', body, plan }, isSmall, from);
  }

  /** @throws GatewayError `answer_too_large`, `cancelled` */
  maskText(text: string, { apiKey, ...from }: MaskFor): Promise<Done<'text'>> {
    return this.#do({ kind: 'text', text, apiKey }, text.length <= SMALL_BYTES, from);
  }

  /** Bytes must not be used afterwards. @throws GatewayError `answer_too_large`, `cancelled` */
  mask(value: string | Pieces, form: MaskForm, { apiKey, tokens, ...from }: MaskFor & Secrets): Promise<Done<'mask'>> {
    return this.#do({ kind: 'mask', value, form, secrets: { apiKey, tokens } }, sizeOf(value) <= SMALL_BYTES, from);
  }

  /** `line` is large, and must not be used afterwards. @throws GatewayError `answer_too_large`, `cancelled` */
  readEvent(line: Pieces, secrets: Secrets, from: Sender): Promise<Done<'event'>> {
    return this.#do({ kind: 'event', line, secrets }, false, from);
  }

  /**
   * Decodes and checks the result of a run, which is JSON after a note. Bytes must not be used afterwards.
   * @throws GatewayError `answer_too_large`, `cancelled`
   */
  async readResult(bytes: Utf8, noteChars: number, from: Sender): Promise<string | undefined> {
    return (await this.#do<'result'>({ kind: 'result', bytes, noteChars }, bytes.length <= SMALL_BYTES, from)).value;
  }

  /**
   * Returns the same bytes if they are base64 from `start` on. Bytes must not be used afterwards.
   * @throws GatewayError `cancelled`
   */
  async checkBase64(bytes: Utf8, start: number, from: Sender): Promise<Utf8 | undefined> {
    return (await this.#do<'base64'>({ kind: 'base64', bytes, start }, bytes.length <= SMALL_BYTES, from)).value;
  }

  /** Bytes must not be used afterwards. @throws GatewayError `cancelled` */
  deflate(bytes: Utf8, from: Sender): Promise<Done<'deflate'>> {
    return this.#do({ kind: 'deflate', bytes }, bytes.length <= SMALL_BYTES, from);
  }

  /** Bytes must not be used afterwards. @throws GatewayError `cancelled` */
  inflate(bytes: Utf8, maxBytes: number, from: Sender): Promise<Done<'inflate'>> {
    return this.#do({ kind: 'inflate', bytes, maxBytes }, maxBytes <= SMALL_BYTES, from);
  }

  async #do<Kind extends keyof Results>(job: Job, isSmall: boolean, from: Sender): Promise<Done<Kind>> {
    const done = isSmall ? doJob(job) : await this.#threads.run(job, from, movedBy(job));
    return done as Done<Kind>;
  }

  close(): Promise<void> {
    return this.#threads.close();
  }
}

function movedBy(job: Job): ArrayBuffer[] {
  if (job.kind === 'answer') return buffersOf(job.body);
  if (job.kind === 'event') return buffersOf(job.line);
  if (job.kind === 'mask') return buffersOf(job.value);
  return job.kind === 'text' ? [] : buffersOf(job.bytes);
}

const tooMuch = (why: string, cause?: unknown) =>
  new GatewayError('answer_too_large', `The answer ${why}. Ask for less: use limit, filters or a narrower path.`, {
    cause,
  });
